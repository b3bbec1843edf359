// cs_value: reference counts, copies, and the caller's own memory.
#include "capi/calling_out.h"
#include "capi/guard.h"

namespace chainstore {
namespace {

// The caller's bytes. Unlike Value::Wrap it marks the thread while the release function runs.
class CallersValue final : public Value {
 public:
  CallersValue(Bytes bytes, Release release, void* context) noexcept
      : Value(bytes, false, &CallersValue::Destroy, true), release_(release), context_(context) {}

 private:
  static void Destroy(Value* value) noexcept {
    auto* self = static_cast<CallersValue*>(value);
    const Release release = self->release_;
    void* const context = self->context_;
    delete self;
    if (!release) return;
    CallingOut mark;
    release(context);
  }

  const Release release_;
  void* const context_;
};

// The address of an empty value: "not NULL" is how a caller tells empty from missing.
Bytes BytesOf(const void* data, size_t size) noexcept {
  return data ? Bytes(static_cast<const char*>(data), size) : Bytes("", 0);
}

}  // namespace
}  // namespace chainstore

using chainstore::Invalid;
using chainstore::Ref;
using chainstore::Result;
using chainstore::Unwrap;
using chainstore::Value;

extern "C" {

cs_value* cs_value_new(const void* data, size_t size, cs_error** error) {
  return chainstore::GuardHandle(error, [&]() -> Result<Ref<Value>> {
    if (!data && size != 0) return Invalid(nullptr, "value_new", "data is NULL, size is not 0");
    return Value::Copy(chainstore::BytesOf(data, size));
  });
}

cs_value* cs_value_wrap(const void* data, size_t size, void (*release)(void* context),
                        void* context, cs_error** error) {
  return chainstore::GuardHandle(error, [&]() -> Result<Ref<Value>> {
    if (!data && size != 0) return Invalid(nullptr, "value_wrap", "data is NULL, size is not 0");
    const chainstore::Bytes bytes = chainstore::BytesOf(data, size);
    return Ref<Value>::Adopt(new chainstore::CallersValue(bytes, release, context));
  });
}

cs_value* cs_value_ref(cs_value* value) {
  if (value) Unwrap(value)->AddRef();
  return value;
}

void cs_value_unref(cs_value* value) {
  if (value) Unwrap(value)->Unref();
}

const void* cs_value_data(const cs_value* value, size_t* size) {
  if (size) *size = 0;
  if (!value) return nullptr;
  const chainstore::Bytes bytes = reinterpret_cast<const Value*>(value)->bytes();
  if (size) *size = bytes.size();
  return bytes.data() ? bytes.data() : "";
}

}  // extern "C"
