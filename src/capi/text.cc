// The text form: cs_store_open and cs_store_describe.
#include <cstring>

#include "capi/guard.h"
#include "capi/options.h"
#include "text/opener.h"
#include "text/printer.h"

namespace chainstore {
namespace {

Result<Ref<Store>> OpenText(const char* text, const cs_options* options) {
  if (!text) return Failure(Code::kInvalid, "the text is NULL").Op("open");
  // No text that is too long is read to its end.
  return text::Open({text, strnlen(text, text::kMaxTextSize + 1)}, OptionsOf(options));
}

Result<Ref<Value>> DescribeStore(const cs_store* store) {
  if (!store) return Value::Copy(text::SchemeTable());
  if (Unwrap(store)->runtime().IsForked()) return WithError(Code::kForked, nullptr, "describe");
  return Value::Copy(text::Describe(*Unwrap(store)));
}

}  // namespace
}  // namespace chainstore

extern "C" {

cs_store* cs_store_open(const char* text, const cs_options* options, cs_error** error) {
  return chainstore::GuardHandle(error, [&] { return chainstore::OpenText(text, options); });
}

cs_value* cs_store_describe(const cs_store* store, cs_error** error) {
  return chainstore::GuardHandle(error, [&] { return chainstore::DescribeStore(store); });
}

}  // extern "C"
