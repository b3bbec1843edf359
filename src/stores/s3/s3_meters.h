// S3Meters: what a store has asked its server for, and what that costs by a table of prices.
// Thread safety: any thread; the numbers of a snapshot are not of one moment.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "core/metric.h"
#include "stores/s3/http.h"
#include "stores/s3/retry.h"

namespace chainstore::s3 {

enum class RequestKind : uint8_t { kGet, kHead, kPut, kPart, kUpload, kList, kDelete, kDeleteMany };
inline constexpr size_t kRequestKinds = 8;

// What a thousand requests cost, and a GB (10^9 bytes) in either direction. Providers charge parts
// and the begin and end of an upload as puts.
struct Prices {
  bool given = false;
  double get = 0, put = 0, list = 0, del = 0;
  double sent = 0, received = 0;
};
// "put=0.005,get=0.0004,received=0.09"; what is not named costs nothing. False: it is no such text.
bool ParsePrices(Bytes text, Prices* prices);

class S3Meters {
 public:
  // Of each attempt that may have reached the server.
  void CountRequest(RequestKind kind) noexcept { ++requests_[static_cast<size_t>(kind)]; }
  void CountRetry(Retry retry) noexcept { ++(retry == Retry::kThrottle ? throttles_ : faults_); }
  void Collect(const HttpMeters& http, const Prices& prices, const std::string& store,
               MetricSet* out) const;

 private:
  void CollectCost(const HttpMeters& http, const Prices& prices, const std::string& store,
                   MetricSet* out) const;
  uint64_t Count(RequestKind kind) const noexcept {
    return requests_[static_cast<size_t>(kind)].load(std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kRequestKinds> requests_{};
  std::atomic<uint64_t> faults_{0};
  std::atomic<uint64_t> throttles_{0};
};

}  // namespace chainstore::s3
