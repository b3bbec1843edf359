#include "managers/lru/s3fifo_policy.h"

#include <algorithm>

namespace chainstore {

void S3FifoPolicy::Touched(uint32_t slot) noexcept {
  const uint64_t word = slots_.word(slot);
  // Nothing to write for what is in use all the time; what is gone looks like that too.
  if ((word & kUses) == kUses) return;
  // If the word has changed meanwhile the slot may be another entry's.
  slots_.change_word(slot, word, word + 1);
}

void S3FifoPolicy::Enqueue(uint32_t slot, bool to_main, uint64_t uses) {
  const uint64_t time = ticker_.Next();
  (to_main ? main_ : small_).push_back({slot, static_cast<uint32_t>(time)});
  ++(to_main ? in_main_ : in_small_);
  slots_.set_word(slot, time << kTimeShift | (to_main ? kInMain : 0) | uses);
}

bool S3FifoPolicy::IsAt(const Queued& queued, bool in_main) const noexcept {
  const uint64_t word = slots_.word(queued.slot);
  return word != kGone && (word & kLeaving) == 0 && ((word & kInMain) != 0) == in_main &&
         static_cast<uint32_t>(word >> kTimeShift) == queued.time;
}

void S3FifoPolicy::Inserted(uint32_t slot) noexcept {
  Enqueue(slot, ghost_.Take(slots_.hash(slot), GhostLimit()), 0);
}

void S3FifoPolicy::Seeded(uint32_t slot, uint64_t order) noexcept {
  slots_.set_word(slot, order << kTimeShift | kInMain);
  ++in_main_;
  seeds_.push_back({order, slot});
  std::push_heap(seeds_.begin(), seeds_.end(),
                 [](const Seed& a, const Seed& b) { return a.order > b.order; });
}

void S3FifoPolicy::Removed(uint32_t slot) noexcept {
  const uint64_t word = slots_.word(slot);
  slots_.set_word(slot, kGone);
  if (word == kGone) return;
  if ((word & kLeaving) == 0) {  // deleted, not evicted
    --(word & kInMain ? in_main_ : in_small_);
    Compact(&small_, false, in_small_);
    Compact(&main_, true, in_main_);
  } else if ((word & kInMain) == 0) {
    ghost_.Add(slots_.hash(slot), GhostLimit());
  }
}

void S3FifoPolicy::Compact(Queue* queue, bool is_main, uint32_t live) {
  constexpr size_t kFew = 64;
  if (queue->size() <= 2 * size_t{live} + kFew) return;
  std::erase_if(*queue, [&](const Queued& queued) { return !IsAt(queued, is_main); });
}

uint32_t S3FifoPolicy::Victim() {
  if (leaving_.size() >= look_at_leaving_) TakeBackFailed();
  const bool main_first = in_small_ == 0 || in_small_ < SmallTarget();
  uint32_t slot = main_first ? FromMain() : FromSmall();
  if (slot == kNoSlot) slot = main_first ? FromSmall() : FromMain();
  if (slot != kNoSlot || leaving_.empty()) return slot;
  TakeBackFailed();
  slot = FromSmall();
  return slot != kNoSlot ? slot : FromMain();
}

uint32_t S3FifoPolicy::FromSmall() {
  for (size_t left = small_.size(); left > 0; --left) {
    const Queued queued = small_.front();
    small_.pop_front();
    if (!IsAt(queued, false)) continue;
    if (!slots_.Evictable(queued.slot)) {
      small_.push_back(queued);  // somebody works on it
    } else if ((slots_.word(queued.slot) & kUses) > 1) {
      --in_small_;
      Enqueue(queued.slot, true, 0);
    } else {
      return Leave(queued);
    }
  }
  return kNoSlot;
}

bool S3FifoPolicy::PopMain(Queued* queued) {
  if (!seeds_.empty()) {
    std::pop_heap(seeds_.begin(), seeds_.end(),
                  [](const Seed& a, const Seed& b) { return a.order > b.order; });
    *queued = {seeds_.back().slot, static_cast<uint32_t>(seeds_.back().order)};
    seeds_.pop_back();
    return true;
  }
  if (main_.empty()) return false;
  *queued = main_.front();
  main_.pop_front();
  return true;
}

uint32_t S3FifoPolicy::FromMain() {
  Queued queued;
  // Each has three more rounds at most.
  for (size_t left = (kUses + 1) * (main_.size() + seeds_.size()); left > 0; --left) {
    if (!PopMain(&queued)) break;
    if (!IsAt(queued, true)) continue;
    const uint64_t uses = slots_.word(queued.slot) & kUses;
    if (!slots_.Evictable(queued.slot)) {
      main_.push_back(queued);
    } else if (uses > 0) {
      --in_main_;
      Enqueue(queued.slot, true, uses - 1);
    } else {
      return Leave(queued);
    }
  }
  return kNoSlot;
}

uint32_t S3FifoPolicy::Leave(const Queued& queued) {
  const uint64_t word = slots_.word(queued.slot);
  --(word & kInMain ? in_main_ : in_small_);
  slots_.set_word(queued.slot, word | kLeaving);
  leaving_.push_back(queued);
  return queued.slot;
}

void S3FifoPolicy::TakeBackFailed() {
  std::vector<Queued> waiting;
  for (const Queued& queued : leaving_) {
    const uint64_t word = slots_.word(queued.slot);
    const bool same = word != kGone && (word & kLeaving) != 0 &&
                      static_cast<uint32_t>(word >> kTimeShift) == queued.time;
    if (!same) continue;  // it has gone
    if (!slots_.Evictable(queued.slot)) {
      waiting.push_back(queued);
      continue;
    }
    const bool in_main = (word & kInMain) != 0;
    slots_.set_word(queued.slot, word & ~kLeaving);
    ++(in_main ? in_main_ : in_small_);
    (in_main ? main_ : small_).push_back(queued);
  }
  leaving_ = std::move(waiting);
  look_at_leaving_ = std::max<size_t>(64, 2 * leaving_.size());
}

}  // namespace chainstore
