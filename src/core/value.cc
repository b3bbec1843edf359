#include "core/value.h"

#include <cassert>
#include <cstring>
#include <new>

namespace chainstore {
namespace {

// The bytes follow the header in one allocation.
class HeapValue final : public Value {
 public:
  static HeapValue* New(size_t size) {
    void* memory = ::operator new(sizeof(HeapValue) + size);
    char* data = static_cast<char*>(memory) + sizeof(HeapValue);
    return new (memory) HeapValue(Bytes(data, size));
  }
  char* writable() { return const_cast<char*>(data()); }

 private:
  explicit HeapValue(Bytes bytes) noexcept
      : Value(
            bytes, true,
            [](Value* value) noexcept {
              static_cast<HeapValue*>(value)->~HeapValue();
              ::operator delete(static_cast<void*>(value));
            },
            true) {}
};

class WrappedValue final : public Value {
 public:
  WrappedValue(Bytes bytes, Release release, void* context) noexcept
      : Value(
            bytes, false,
            [](Value* value) noexcept {
              auto* self = static_cast<WrappedValue*>(value);
              const Release release = self->release_;
              void* const context = self->context_;
              delete self;
              if (release) release(context);
            },
            true),
        release_(release),
        context_(context) {}

 private:
  const Release release_;
  void* const context_;
};

class SliceValue final : public Value {
 public:
  SliceValue(Ref<Value> whole, Bytes bytes) noexcept
      : Value(bytes, whole->is_heap(),
              [](Value* value) noexcept { delete static_cast<SliceValue*>(value); }),
        whole_(std::move(whole)) {}

 private:
  const Ref<Value> whole_;
};

}  // namespace

Ref<Value> Value::Copy(Bytes bytes) {
  HeapValue* value = HeapValue::New(bytes.size());
  if (!bytes.empty()) memcpy(value->writable(), bytes.data(), bytes.size());
  return Ref<Value>::Adopt(value);
}

Ref<Value> Value::Allocate(size_t size, char** data) {
  HeapValue* value = HeapValue::New(size);
  *data = value->writable();
  return Ref<Value>::Adopt(value);
}

Ref<Value> Value::Wrap(Bytes bytes, Release release, void* context) {
  return Ref<Value>::Adopt(new WrappedValue(bytes, release, context));
}

Ref<Value> Value::Slice(Ref<Value> whole, size_t offset, size_t size) {
  assert(offset <= whole->size() && size <= whole->size() - offset);
  if (size == whole->size()) return whole;
  const Bytes part = whole->bytes().substr(offset, size);
  return Ref<Value>::Adopt(new SliceValue(std::move(whole), part));
}

}  // namespace chainstore
