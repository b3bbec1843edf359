#include "stores/s3/s3_meters.h"

#include <charconv>
#include <cmath>

namespace chainstore::s3 {
namespace {

constexpr const char* kKindNames[kRequestKinds] = {"get",    "head", "put",    "part",
                                                   "upload", "list", "delete", "delete_many"};

double* PlaceOf(Bytes name, Prices* prices) {
  if (name == "get") return &prices->get;
  if (name == "put") return &prices->put;
  if (name == "list") return &prices->list;
  if (name == "delete") return &prices->del;
  if (name == "sent") return &prices->sent;
  return name == "received" ? &prices->received : nullptr;
}

}  // namespace

bool ParsePrices(Bytes text, Prices* prices) {
  *prices = Prices();
  prices->given = !text.empty();
  while (!text.empty()) {
    const Bytes part = text.substr(0, text.find(','));
    const size_t equals = part.find('=');
    double* const place = equals == Bytes::npos ? nullptr : PlaceOf(part.substr(0, equals), prices);
    if (!place) return false;
    const Bytes number = part.substr(equals + 1);
    const char* const end = number.data() + number.size();
    const auto [stopped, error] =
        std::from_chars(number.data(), end, *place, std::chars_format::fixed);
    if (error != std::errc() || stopped != end || !std::isfinite(*place) || *place < 0)
      return false;
    if (part.size() + 1 == text.size()) return false;  // ends with a comma
    text.remove_prefix(std::min(text.size(), part.size() + 1));
  }
  return true;
}

void S3Meters::Collect(const HttpMeters& http, const Prices& prices, const std::string& store,
                       MetricSet* out) const {
  const auto read = [](const std::atomic<uint64_t>& number) {
    return number.load(std::memory_order_relaxed);
  };
  for (size_t kind = 0; kind < kRequestKinds; ++kind) {
    out->Counter("chainstore_s3_requests_total", "Requests to the server, each attempt of them.",
                 {{"store", store}, {"kind", kKindNames[kind]}},
                 Count(static_cast<RequestKind>(kind)));
  }
  out->Counter("chainstore_s3_retries_total", "Requests sent again, by why.",
               {{"store", store}, {"after", "fault"}}, read(faults_));
  out->Counter("chainstore_s3_retries_total", "Requests sent again, by why.",
               {{"store", store}, {"after", "throttle"}}, read(throttles_));
  out->Counter("chainstore_s3_sent_bytes_total", "Bytes of bodies sent.", {{"store", store}},
               read(http.sent_bytes));
  out->Counter("chainstore_s3_received_bytes_total", "Bytes of bodies received.",
               {{"store", store}}, read(http.received_bytes));
  const char* const kConnections = "Connections that requests went over.";
  out->Counter("chainstore_s3_connections_total", kConnections,
               {{"store", store}, {"state", "opened"}}, read(http.connections));
  out->Counter("chainstore_s3_connections_total", kConnections,
               {{"store", store}, {"state", "reused"}}, read(http.reused));
  out->Summary("chainstore_s3_first_byte_seconds",
               "From the begin of a request to the first byte of its answer.", {{"store", store}},
               read(http.first_bytes), static_cast<double>(read(http.first_byte_us)) / 1e6, {});
  if (prices.given) CollectCost(http, prices, store, out);
}

void S3Meters::CollectCost(const HttpMeters& http, const Prices& prices, const std::string& store,
                           MetricSet* out) const {
  using Kind = RequestKind;
  const auto thousands = [this](std::initializer_list<Kind> kinds) {
    uint64_t count = 0;
    for (const Kind kind : kinds) count += Count(kind);
    return static_cast<double>(count) / 1e3;
  };
  const auto gigabytes = [](const std::atomic<uint64_t>& bytes) {
    return static_cast<double>(bytes.load(std::memory_order_relaxed)) / 1e9;
  };
  const auto add = [&](const char* of, double cost) {
    out->Amount("chainstore_s3_cost_total", "What was asked for costs, by the option prices.",
                {{"store", store}, {"of", of}}, cost);
  };
  add("get", prices.get * thousands({Kind::kGet, Kind::kHead}));
  add("put", prices.put * thousands({Kind::kPut, Kind::kPart, Kind::kUpload}));
  add("list", prices.list * thousands({Kind::kList}));
  add("delete", prices.del * thousands({Kind::kDelete, Kind::kDeleteMany}));
  add("sent", prices.sent * gigabytes(http.sent_bytes));
  add("received", prices.received * gigabytes(http.received_bytes));
}

}  // namespace chainstore::s3
