#include "managers/write_behind/scheduler.h"

#include <atomic>

namespace chainstore::behind {
namespace {

class RuntimeScheduler final : public Scheduler {
 public:
  explicit RuntimeScheduler(Ref<Runtime> runtime)
      : runtime_(std::move(runtime)),
        // Different in each process and for each queue: retries of a fleet must not coincide.
        random_(static_cast<uint64_t>(runtime_->clock().SteadyNs()) ^
                static_cast<uint64_t>(runtime_->clock().WallUs()) ^
                static_cast<uint64_t>(reinterpret_cast<uintptr_t>(this))) {}

  int64_t NowNs() noexcept override { return runtime_->clock().SteadyNs(); }
  int64_t WallMs() noexcept override {
    const int64_t now_ms = runtime_->clock().WallMs();
    int64_t high_ms = wall_high_ms_.load(std::memory_order_relaxed);
    while (high_ms < now_ms) {
      if (wall_high_ms_.compare_exchange_weak(high_ms, now_ms, std::memory_order_relaxed)) {
        return now_ms;
      }
    }
    return high_ms;
  }
  uint64_t Random() noexcept override {
    // SplitMix64 (Steele, Lea, Flood, 2014).
    constexpr uint64_t kGamma = 0x9e3779b97f4a7c15;
    uint64_t z = random_.fetch_add(kGamma, std::memory_order_relaxed) + kGamma;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  void Post(Task task) noexcept override { runtime_->Post(Lane::kFast, std::move(task)); }
  uint64_t At(int64_t when_ns, Task task) noexcept override {
    return runtime_->At(when_ns, std::move(task));
  }
  void Cancel(uint64_t id, int64_t when_ns) noexcept override {
    runtime_->CancelTimer(id, when_ns);
  }

 private:
  const Ref<Runtime> runtime_;
  std::atomic<int64_t> wall_high_ms_{0};
  std::atomic<uint64_t> random_;
};

}  // namespace

std::unique_ptr<Scheduler> NewRuntimeScheduler(Ref<Runtime> runtime) {
  return std::make_unique<RuntimeScheduler>(std::move(runtime));
}

}  // namespace chainstore::behind
