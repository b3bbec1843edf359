// cs_metrics_new, and cs_metrics_text for any store.
#include <cstring>

#include "capi/guard.h"
#include "capi/inner.h"
#include "capi/options.h"
#include "core/metric.h"
#include "managers/metrics/metrics.h"

namespace chainstore {
namespace {

Result<Ref<Store>> NewMetricsOf(cs_store* inner, const char* name, const cs_options* options) {
  if (Status wrong = CheckInner("metrics", inner); !wrong.ok()) return wrong;
  if (!name) return Failure(Code::kInvalid, "the name is NULL").Store("metrics");
  return NewMetrics(Ref<Store>(Unwrap(inner)), name, OptionsOf(options));
}

// A value of these bytes, with a NUL behind them.
Ref<Value> TextValue(const std::string& text) {
  char* data = nullptr;
  Ref<Value> with_end = Value::Allocate(text.size() + 1, &data);
  memcpy(data, text.c_str(), text.size() + 1);
  return Value::Slice(std::move(with_end), 0, text.size());
}

Result<Ref<Value>> MetricsText(cs_store* store, const char* format) {
  const Store* const from = store ? Unwrap(store) : nullptr;
  if (!from) return Invalid(nullptr, "metrics_text", "the store is NULL");
  if (from->runtime().IsForked()) return WithError(Code::kForked, nullptr, "metrics_text");
  const std::string_view form = format ? format : "";
  if (form == "prometheus") return TextValue(MetricsOf(*from).ToPrometheus());
  if (form == "json") return TextValue(MetricsOf(*from).ToJson());
  return Invalid(from, "metrics_text", "the format is neither json nor prometheus");
}

}  // namespace
}  // namespace chainstore

using chainstore::GuardHandle;

extern "C" {

cs_store* cs_metrics_new(cs_store* inner, const char* name, const cs_options* options,
                         cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::NewMetricsOf(inner, name, options); });
}

cs_value* cs_metrics_text(cs_store* store, const char* format, cs_error** error) {
  return GuardHandle(error, [&] { return chainstore::MetricsText(store, format); });
}

}  // extern "C"
