#include "managers/write_behind/scan_page.h"

#include "core/below.h"

#include <optional>

namespace chainstore::behind {

ScanPage::ScanPage(Ref<Store> store, GatePass pass, Ref<Queue> queue, Ref<Store> inner,
                   const Range& range, const Call& call, Done<Page> done)
    : store_(std::move(store)),
      pass_(std::move(pass)),
      queue_(std::move(queue)),
      inner_(std::move(inner)),
      call_(call),
      done_(std::move(done)),
      range_(range) {}

// Deletes may hide page after page: a loop, not a recursion, when the inner store answers inline.
void ScanPage::Run() {
  for (;;) {
    state_.store(kAsking, std::memory_order_relaxed);
    Ask();
    // Whoever comes second goes on: this loop, or the continuation.
    if (state_.exchange(kLeft, std::memory_order_acq_rel) == kAsking) return;
    if (Merge()) return Finish();
  }
}

void ScanPage::Ask() {
  const size_t wanted = range_.Limit() - out_.entries.size();
  pins_.clear();
  pins_complete_ = queue_->Pin(range_, wanted, &pins_, &began_);
  Range rest = range_;
  rest.page_size = static_cast<uint32_t>(wanted);
  Below(*inner_).Scan(rest, call_, [self = Ref<ScanPage>(this)](Page&& page) {
    self->queue_->EndRead(self->began_);
    self->below_ = std::move(page);
    if (self->state_.exchange(kAnswered, std::memory_order_acq_rel) != kLeft) return;
    if (self->Merge()) return self->Finish();
    self->Run();
  });
}

void ScanPage::Take(Entry entry) {
  bytes_ += entry.key.size() + (entry.value ? entry.value->size() : 0);
  out_.entries.push_back(std::move(entry));
}

bool ScanPage::Merge() {
  if (!below_.status.ok() && !below_.status.Is(Code::kEnd)) {
    out_ = Page(below_.status);
    return true;
  }
  const auto before = [this](const std::string& a, const std::string& b) {
    return range_.reverse ? a > b : a < b;
  };
  // Beyond the horizon one of the two sides is not known yet.
  std::optional<std::string> horizon;
  if (below_.more) horizon = below_.entries.back().key;
  if (!pins_complete_ && (!horizon || before(pins_.back().key, *horizon))) {
    horizon = pins_.back().key;
  }
  size_t pin = 0, entry = 0;
  while (!full()) {
    const std::string* mine = pin < pins_.size() ? &pins_[pin].key : nullptr;
    const std::string* below = entry < below_.entries.size() ? &below_.entries[entry].key : nullptr;
    if (!mine && !below) break;
    const bool take_mine = mine && (!below || !before(*below, *mine));
    if (horizon && before(*horizon, take_mine ? *mine : *below)) break;
    if (!take_mine) {
      Take(std::move(below_.entries[entry++]));
      continue;
    }
    if (below && *below == *mine) ++entry;
    Pending::View& view = pins_[pin++];
    if (!view.value) continue;
    Entry pending;
    pending.key = view.key;
    pending.flags = view.flags;
    pending.meta.total_size = view.value->size();
    pending.meta.expires_at_ms = view.expires_at_ms;
    if (!range_.keys_only) {
      pending.value = call_.Has(Call::kOwned) && !view.value->is_heap()
                          ? Value::Copy(view.value->bytes())
                          : std::move(view.value);
    }
    Take(std::move(pending));
  }
  out_.more = horizon.has_value() || pin < pins_.size() || entry < below_.entries.size();
  if (full() || !horizon) return true;
  range_.after = std::move(*horizon);
  range_.has_after = true;
  return false;
}

void ScanPage::Finish() {
  if (out_.status.ok() && out_.entries.empty()) out_ = Page(Code::kEnd);
  if (out_.status.Is(Code::kEnd)) out_.more = false;
  Page page = std::move(out_);
  pass_ = GatePass();
  done_(std::move(page));
}

}  // namespace chainstore::behind
