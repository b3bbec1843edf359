// Readers: tells when every read-through and scan page that began before some moment has ended, in
// constant space, however long one of them hangs. Reads are counted in epochs, two at a time: the
// current one and the one before.
// Thread safety: none; the queue's lock guards it.
#pragma once

#include <cassert>
#include <cstdint>

namespace chainstore::behind {

class Readers {
 public:
  // A read begins; what it returns goes to End.
  uint64_t Begin() noexcept {
    ++active_[epoch_ & 1];
    return epoch_;
  }
  void End(uint64_t began) noexcept {
    assert(active_[began & 1] > 0);
    --active_[began & 1];
  }
  // For Passed: stands for all reads that have begun by now.
  uint64_t Now() const noexcept { return epoch_; }
  // Whether all reads that had begun at `moment` have ended. Moves on to new epochs as it can, so
  // that later reads do not keep it waiting.
  bool Passed(uint64_t moment) noexcept {
    // An epoch begins when the one before the last has no reader left: two steps, and everything
    // that was counted at `moment` is gone.
    while (epoch_ < moment + 2 && active_[(epoch_ + 1) & 1] == 0) ++epoch_;
    return epoch_ >= moment + 2;
  }

 private:
  uint64_t epoch_ = 0;
  uint64_t active_[2] = {0, 0};
};

}  // namespace chainstore::behind
