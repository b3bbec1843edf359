// S3FifoPolicy: S3-FIFO (Yang, Zhang, Qiu, Yue and Vigfusson, "FIFO queues are all you need for
// cache eviction", SOSP 2023). New entries go to a small queue, a tenth of all; what was used twice
// there moves to the main queue, what was not goes, and is remembered for as many evictions as nine
// tenths of the entries are. What comes back in that time goes to the main queue at once. The main
// queue gives an entry another round for each of up to three uses. So a scan passes through the
// small queue, and a hit only counts up to three.
//
// A slot's word: the time at which it was queued, whether it is on its way out, which queue, how
// often it was used. The queues hold (slot, time); what does not match the word any more is
// skipped. Entries of before this process are the oldest of the main queue. Thread safety: as
// Policy.
#pragma once

#include <deque>
#include <vector>

#include "managers/lru/ghost.h"
#include "managers/lru/policy.h"
#include "managers/lru/ticker.h"

namespace chainstore {

class S3FifoPolicy final : public Policy {
 public:
  S3FifoPolicy(Slots& slots, Ticker& ticker) : slots_(slots), ticker_(ticker) {}

  void Touched(uint32_t slot) noexcept override;
  void Inserted(uint32_t slot) noexcept override;
  void Seeded(uint32_t slot, uint64_t order) noexcept override;
  void Removed(uint32_t slot) noexcept override;
  uint32_t Victim() override;
  uint64_t Order(uint32_t slot) const noexcept override { return slots_.word(slot) >> kTimeShift; }

 private:
  struct Queued {
    uint32_t slot;
    uint32_t time;  // its low bits: enough to tell two places of one slot apart
  };
  struct Seed {
    uint64_t order;
    uint32_t slot;
  };
  using Queue = std::deque<Queued>;
  static constexpr uint64_t kUses = 3;
  static constexpr uint64_t kInMain = 4;
  static constexpr uint64_t kLeaving = 8;
  static constexpr int kTimeShift = 4;
  static constexpr uint64_t kGone = UINT64_MAX;

  // Puts the slot at the end of a queue, with so many uses.
  void Enqueue(uint32_t slot, bool to_main, uint64_t uses);
  bool IsAt(const Queued& queued, bool in_main) const noexcept;
  uint32_t FromSmall();
  uint32_t FromMain();
  // The oldest of the main queue that is still there; false: none.
  bool PopMain(Queued* queued);
  uint32_t Leave(const Queued& queued);
  // Those that were to go and could not: back to where they were.
  void TakeBackFailed();
  void Compact(Queue* queue, bool is_main, uint32_t live);
  uint32_t SmallTarget() const noexcept { return std::max(1u, (in_small_ + in_main_) / 10); }
  // Nine tenths of what there is with one entry more: that which went, or that which comes.
  uint32_t GhostLimit() const noexcept {
    return static_cast<uint32_t>((uint64_t{in_small_} + in_main_ + 1) * 9 / 10);
  }

  Slots& slots_;
  Ticker& ticker_;
  Queue small_;
  Queue main_;
  std::vector<Seed> seeds_;  // a heap, the oldest first
  std::vector<Queued> leaving_;
  size_t look_at_leaving_ = 64;
  uint32_t in_small_ = 0;
  uint32_t in_main_ = 0;
  Ghost ghost_;
};

}  // namespace chainstore
