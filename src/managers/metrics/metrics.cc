#include "managers/metrics/metrics.h"

#include <array>

#include "core/metric.h"
#include "managers/metrics/counters.h"
#include "managers/metrics/histogram.h"

namespace chainstore {
namespace {

Metered MeteredOf(const Read& read) {
  if (read.what == Read::What::kStat) return Metered::kStat;
  return read.what == Read::What::kRange ? Metered::kGetRange : Metered::kGet;
}

uint64_t BytesOf(const std::vector<Entry>& entries) {
  uint64_t bytes = 0;
  for (const Entry& entry : entries) bytes += entry.value ? entry.value->size() : 0;
  return bytes;
}

uint64_t BytesOf(const Batch& batch) {
  uint64_t bytes = 0;
  for (const Batch::Op& op : batch.ops) bytes += op.value ? op.value->size() : 0;
  return bytes;
}

class Metrics final : public Wrapper {
 public:
  Metrics(Ref<Store> inner, std::string_view label)
      : Wrapper("metrics", std::move(inner)),
        label_(label),
        samples_gets_((wrapped().caps() & kCapTry) != 0) {}
  ~Metrics() override {
    for (auto& each : latency_) delete each.load(std::memory_order_acquire);
  }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  bool GetHit(const Key& key, Hit* hit) noexcept override;
  void NoteMiss(const Key& key) noexcept override {
    counters_.OfThisThread().Count(Metered::kGet, Code::kNotFound, 0);
    Wrapper::NoteMiss(key);
  }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override {
    if (!Enter("put", call, &done)) return;
    wrapped().Put(key, payload, call,
                  Counted(Metered::kPut, call, payload.size(), std::move(done)));
  }
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override {
    if (!Enter("del", call, &done)) return;
    wrapped().Del(key, call, Counted(Metered::kDel, call, 0, std::move(done)));
  }
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override {
    if (!Enter("write", call, &done)) return;
    const uint64_t bytes = BytesOf(*batch);
    wrapped().Write(std::move(batch), call, Counted(Metered::kWrite, call, bytes, std::move(done)));
  }
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    if (!Enter("scan", call, &done)) return;
    wrapped().Scan(
        range, call,
        [this, begin_ns = Now(), wait = call.wait, done = std::move(done)](Page&& page) mutable {
          End(Metered::kScan, begin_ns, wait, page.status, BytesOf(page.entries));
          done(std::move(page));
        });
  }
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override {
    if (!Enter("flush", call, &done)) return;
    wrapped().Flush(prefix, call,
                    [this, begin_ns = Now(), wait = call.wait,
                     done = std::move(done)](Status&& status) mutable {
                      End(Metered::kFlush, begin_ns, wait, status, 0);
                      done(std::move(status));
                    });
  }

  void CollectMetrics(MetricSet* out) const override;

 private:
  static constexpr uint64_t kSampleEvery = 64;
  static constexpr int64_t kNotMeasured = INT64_MIN;

  int64_t Now() const noexcept { return runtime().clock().SteadyNs(); }
  [[gnu::noinline]] void GetLater(const Key& key, const Read& read, const Call& call,
                                  Done<Answer> done) noexcept;
  [[gnu::noinline]] void Measure(Metered operation, int64_t begin_ns) noexcept;
  void EndGet(Metered operation, int64_t begin_ns, Counters::Mine mine,
              const Answer& answer) noexcept {
    mine.Count(operation, answer.status.code(), answer.value ? answer.value->size() : 0);
    if (begin_ns != kNotMeasured) [[unlikely]] {
      Measure(operation, begin_ns);
    }
  }
  void End(Metered operation, int64_t begin_ns, Wait wait, const Status& status,
           uint64_t bytes) noexcept {
    if (wait == Wait::kNever && status.Is(Code::kWouldBlock)) return;
    counters_.OfThisThread().Count(operation, status.code(), bytes);
    Measure(operation, begin_ns);
  }
  template <class T>
  Done<T> Counted(Metered operation, const Call& call, uint64_t bytes, Done<T> done) {
    return [this, operation, bytes, begin_ns = Now(), wait = call.wait,
            done = std::move(done)](T&& answer) mutable {
      End(operation, begin_ns, wait, answer.status, answer.status.ok() ? bytes : 0);
      done(std::move(answer));
    };
  }

  void CollectHits(MetricSet* out) const;
  void CollectLatency(size_t operation, uint64_t count, MetricSet* out) const;

  const std::string label_;
  const bool samples_gets_;
  mutable Counters counters_;
  // Made with the first measurement: each takes 37 KB.
  std::array<std::atomic<Histogram*>, kMeteredCount> latency_{};
};

// What a hit of a memory store costs here is mostly instructions: this is kept short, and what is
// rare apart from it.
void Metrics::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  if (call.wait == Wait::kLater || closed()) [[unlikely]] {
    return GetLater(key, read, call, std::move(done));
  }
  // It ends on this stack: the continuation needs one pointer, and the answer is not moved.
  struct OnStack {
    Metrics* self;
    const Call& call;
    Done<Answer>& done;
    Metered operation;
    int64_t begin_ns;
    Counters::Mine mine;
  } here = {this, call, done, MeteredOf(read), kNotMeasured, counters_.OfThisThread()};
  if (!samples_gets_ || here.mine.Sample(here.operation, kSampleEvery)) here.begin_ns = Now();
  wrapped().Get(key, read, call, [&here](Answer&& answer) {
    const bool leaves_no_trace =
        !answer.status.ok() &&
        (here.call.Has(Call::kSpeculative) ||
         (here.call.wait == Wait::kNever && answer.status.Is(Code::kWouldBlock)));
    if (!leaves_no_trace) here.self->EndGet(here.operation, here.begin_ns, here.mine, answer);
    here.done(std::move(answer));
  });
}

bool Metrics::GetHit(const Key& key, Hit* hit) noexcept {
  if (closed()) return false;
  Counters::Mine mine = counters_.OfThisThread();
  // It is begun only when it is known to be a hit: else Get does.
  const int64_t begin_ns = mine.IsSampled(Metered::kGet, kSampleEvery) ? Now() : kNotMeasured;
  if (!wrapped().GetHit(key, hit)) return false;
  mine.Begin(Metered::kGet);
  mine.Count(Metered::kGet, Code::kOk, hit->value->size());
  if (begin_ns != kNotMeasured) [[unlikely]] {
    Measure(Metered::kGet, begin_ns);
  }
  return true;
}

void Metrics::GetLater(const Key& key, const Read& read, const Call& call,
                       Done<Answer> done) noexcept {
  const Metered operation = MeteredOf(read);
  if (!Enter(kMeteredNames[static_cast<size_t>(operation)], call, &done)) return;
  const bool measure = !samples_gets_ || counters_.OfThisThread().Sample(operation, kSampleEvery);
  wrapped().Get(key, read, call,
                [this, operation, begin_ns = measure ? Now() : kNotMeasured,
                 done = std::move(done)](Answer&& answer) mutable {
                  EndGet(operation, begin_ns, counters_.OfThisThread(), answer);
                  done(std::move(answer));
                });
}

void Metrics::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  if (!Enter("get_many", call, &done)) return;
  wrapped().GetMany(std::move(keys), call,
                    [this, begin_ns = Now(), wait = call.wait,
                     done = std::move(done)](Entries&& entries) mutable {
                      uint64_t hits = 0, misses = 0;
                      for (const Entry& entry : entries.entries) {
                        hits += entry.status.ok();
                        misses += entry.status.Is(Code::kNotFound);
                      }
                      counters_.OfThisThread().CountKeys(hits, misses);
                      End(Metered::kGetMany, begin_ns, wait, entries.status,
                          BytesOf(entries.entries));
                      done(std::move(entries));
                    });
}

void Metrics::Measure(Metered operation, int64_t begin_ns) noexcept {
  std::atomic<Histogram*>& place = latency_[static_cast<size_t>(operation)];
  Histogram* histogram = place.load(std::memory_order_acquire);
  if (!histogram) {
    Histogram* const made = new (std::nothrow) Histogram;
    if (!made) return;
    if (place.compare_exchange_strong(histogram, made, std::memory_order_acq_rel)) {
      histogram = made;
    } else {
      delete made;
    }
  }
  histogram->Add(static_cast<uint64_t>(Now() - begin_ns));
}

void Metrics::CollectHits(MetricSet* out) const {
  const auto gets = [this](Code code) {
    return counters_.Ended(Metered::kGet, code) + counters_.Ended(Metered::kGetRange, code);
  };
  out->Counter("chainstore_hits_total", "Keys asked for that had a value.", {{"name", label_}},
               gets(Code::kOk) + counters_.KeyHits());
  out->Counter("chainstore_misses_total", "Keys asked for that had none.", {{"name", label_}},
               gets(Code::kNotFound) + counters_.KeyMisses());
}

void Metrics::CollectLatency(size_t operation, uint64_t count, MetricSet* out) const {
  const Histogram* const histogram = latency_[operation].load(std::memory_order_acquire);
  const uint64_t measured = histogram ? histogram->Count() : 0;
  if (measured == 0) return;
  // The ones that were measured stand for all.
  const double all = static_cast<double>(count) / static_cast<double>(measured);
  std::vector<MetricSet::Quantile> quantiles;
  for (const auto& [rank, value] :
       {std::pair("0.5", 0.5), std::pair("0.9", 0.9), std::pair("0.99", 0.99),
        std::pair("0.999", 0.999), std::pair("1", 1.0)}) {
    quantiles.push_back({rank, histogram->QuantileSeconds(value)});
  }
  out->Summary("chainstore_operation_duration_seconds", "How long operations took.",
               {{"name", label_}, {"operation", kMeteredNames[operation]}}, count,
               histogram->SumSeconds() * all, std::move(quantiles));
}

void Metrics::CollectMetrics(MetricSet* out) const {
  CollectHits(out);
  for (size_t at = 0; at < kMeteredCount; ++at) {
    const auto operation = static_cast<Metered>(at);
    const MetricSet::Labels labels = {{"name", label_}, {"operation", kMeteredNames[at]}};
    uint64_t all = 0;
    for (int code = Counters::kLowestCode; code <= Counters::kHighestCode; ++code) {
      const uint64_t count = counters_.Ended(operation, static_cast<Code>(code));
      if (count == 0) continue;
      all += count;
      MetricSet::Labels with_status = labels;
      with_status.emplace_back("status", CodeName(static_cast<Code>(code)));
      out->Counter("chainstore_operations_total", "Operations, by how they ended.",
                   std::move(with_status), count);
    }
    if (all == 0) continue;
    out->Counter("chainstore_operation_bytes_total", "Bytes of the values read or written.", labels,
                 counters_.Bytes(operation));
    CollectLatency(at, all, out);
  }
}

}  // namespace

Result<Ref<Store>> NewMetrics(Ref<Store> inner, std::string_view name, const Options* options) {
  if (name.empty()) return Failure(Code::kInvalid, "the name is empty").Store("metrics");
  auto values = OptionValues::Parse("metrics", kMetricsOptions, options);
  if (!values.ok()) return values.status();
  Ref<Store> store = MakeRef<Metrics>(std::move(inner), name);
  store->SetRecipe({"metrics", {{"name", std::string(name)}}, kMetricsOptions, nullptr});
  return store;
}

}  // namespace chainstore
