// Counters: how often, how it ended, and how many bytes, for each operation.
// Thread safety: any thread. Each thread counts in a stripe of its own, in plain memory: a locked
// instruction would cost as much as a hit of a memory store. Whoever asks adds the stripes up.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "base/status.h"
#include "base/thread_slot.h"

namespace chainstore {

enum class Metered : uint8_t {
  kGet,
  kGetRange,
  kStat,
  kGetMany,
  kPut,
  kDel,
  kWrite,
  kScan,
  kFlush
};
inline constexpr const char* kMeteredNames[] = {"get", "get_range", "stat", "get_many", "put",
                                                "del", "write",     "scan", "flush"};
inline constexpr size_t kMeteredCount = 9;

class Counters {
 public:
  // Codes from CS_NO_SPACE to CS_EXISTS.
  static constexpr int kLowestCode = -16;
  static constexpr int kHighestCode = 5;

  Counters() = default;
  ~Counters();
  Counters(const Counters&) = delete;
  Counters& operator=(const Counters&) = delete;

  // Where this thread counts: to be used on this thread, at once.
  class Mine;
  Mine OfThisThread() noexcept;

  uint64_t Ended(Metered operation, Code code) const noexcept;
  uint64_t Bytes(Metered operation) const noexcept;
  uint64_t KeyHits() const noexcept;
  uint64_t KeyMisses() const noexcept;

 private:
  struct alignas(64) Line {
    // What a hit touches stands in one cache line: the counts of CS_OK and its neighbours.
    std::atomic<uint64_t> begun{0};
    std::atomic<uint64_t> bytes{0};
    std::array<std::atomic<uint64_t>, kHighestCode - kLowestCode + 1> ended{};
  };
  struct Stripe {
    std::array<Line, kMeteredCount> lines;
    std::atomic<uint64_t> key_hits{0};
    std::atomic<uint64_t> key_misses{0};
  };

  // CS_OK first, then the other answers, then the failures.
  static size_t IndexOf(Code code) noexcept {
    const int number = static_cast<int>(code);
    return static_cast<size_t>(number >= 0 ? number : kHighestCode - number);
  }
  // Null: no memory. What is counted then is lost, not the operation.
  Stripe* NewStripe(size_t slot) noexcept;
  template <class Get>
  uint64_t Sum(Get&& get) const noexcept;

  std::array<std::atomic<Stripe*>, ThreadSlot::kSlots + 1> stripes_{};
};

class Counters::Mine {
 public:
  void Count(Metered operation, Code code, uint64_t bytes) noexcept {
    if (!stripe_) return;
    Line& line = LineOf(operation);
    Add(&line.ended[IndexOf(code)], 1);
    if (bytes != 0) Add(&line.bytes, bytes);
  }
  // Keys of a get_many that had a value, and that had none.
  void CountKeys(uint64_t hits, uint64_t misses) noexcept {
    if (!stripe_) return;
    Add(&stripe_->key_hits, hits);
    Add(&stripe_->key_misses, misses);
  }
  // True for the first of every `every` operations that were begun.
  bool IsSampled(Metered operation, uint64_t every) const noexcept {
    return stripe_ && LineOf(operation).begun.load(std::memory_order_relaxed) % every == 0;
  }
  void Begin(Metered operation) noexcept {
    if (stripe_) Add(&LineOf(operation).begun, 1);
  }
  bool Sample(Metered operation, uint64_t every) noexcept {
    const bool sampled = IsSampled(operation, every);
    Begin(operation);
    return sampled;
  }

 private:
  friend class Counters;
  Mine(Stripe* stripe, bool shared) noexcept : stripe_(stripe), shared_(shared) {}
  Line& LineOf(Metered operation) const noexcept {
    return stripe_->lines[static_cast<size_t>(operation)];
  }
  // A thread's own stripe has one writer: it needs no locked instruction.
  void Add(std::atomic<uint64_t>* to, uint64_t amount) noexcept {
    if (shared_) {
      to->fetch_add(amount, std::memory_order_relaxed);
    } else {
      to->store(to->load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
    }
  }

  Stripe* stripe_;
  bool shared_;
};

inline Counters::Mine Counters::OfThisThread() noexcept {
  const size_t slot = ThreadSlot::Get();
  Stripe* stripe = stripes_[slot].load(std::memory_order_acquire);
  if (!stripe) stripe = NewStripe(slot);
  return Mine(stripe, slot == ThreadSlot::kShared);
}

}  // namespace chainstore
