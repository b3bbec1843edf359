#include "capi/result.h"

#include <cstring>

namespace chainstore {
namespace {

// What cs_result.owner points to: the entries, and the core's objects that they borrow from.
struct EntriesOwner {
  std::vector<Entry> entries;
  std::vector<cs_entry> shown;
  Ref<const Batch> batch;
};

uint32_t PrivateFlag(const Value& value) noexcept {
  return value.IsPrivate() ? uint32_t{CS_RESULT_PRIVATE} : 0;
}

const void* DataOf(const Value& value) noexcept { return value.data() ? value.data() : ""; }

// All but user_data. Field by field: gcc makes `rep stos` of a memset of this size, which takes
// longer than the lookup of a small table.
void Clear(cs_result* out) noexcept {
  out->status = 0;
  out->flags = 0;
  out->total_size = 0;
  out->expires_at_ms = 0;
  out->version = 0;
  out->tier = 0;
  out->reserved32 = 0;
  out->data = nullptr;
  out->size = 0;
  out->value = nullptr;
  out->entries = nullptr;
  out->count = 0;
  out->error = nullptr;
  out->owner = nullptr;
  for (uint64_t& reserved : out->reserved) reserved = 0;
}

void SetStatus(cs_result* out, Status&& status, const Origin& origin) noexcept {
  out->status = ToStatus(status.code());
  if (!status.failed()) [[likely]]
    return;
  const Status failure = WithError(std::move(status), origin.store, origin.operation);
  out->status = ToStatus(failure.code());
  SetError(&out->error, failure);
}

void SetMeta(cs_result* out, uint32_t flags, const Meta& meta) noexcept {
  out->flags = flags;
  out->total_size = meta.total_size;
  out->expires_at_ms = meta.expires_at_ms;
  out->version = meta.version;
}

void SetValue(cs_result* out, Ref<Value> value) noexcept {
  out->flags |= PrivateFlag(*value);
  out->data = DataOf(*value);
  out->size = value->size();
  out->value = Wrap(value.Release());
}

cs_entry Show(Entry& entry, const Origin& origin) noexcept {
  cs_entry shown = {};
  if (entry.status.failed()) {
    entry.status = WithError(std::move(entry.status), origin.store, origin.operation);
    shown.error = Wrap(entry.status.error());
  }
  shown.status = ToStatus(entry.status.code());
  shown.flags = entry.flags;
  shown.total_size = entry.meta.total_size;
  shown.expires_at_ms = entry.meta.expires_at_ms;
  shown.version = entry.meta.version;
  shown.key = entry.key.data();
  shown.key_size = entry.key.size();
  if (entry.value) {
    shown.flags |= PrivateFlag(*entry.value);
    shown.value = Wrap(entry.value.get());
    shown.data = DataOf(*entry.value);
    shown.size = entry.value->size();
  }
  return shown;
}

// A write's entries may leave their keys to its batch (null: not a write).
void SetEntries(cs_result* out, std::vector<Entry>&& entries, Ref<const Batch> batch,
                const Origin& origin) noexcept {
  if (entries.empty()) return;
  try {
    auto owner = std::make_unique<EntriesOwner>();
    owner->entries = std::move(entries);
    owner->shown.reserve(owner->entries.size());
    for (Entry& entry : owner->entries) owner->shown.push_back(Show(entry, origin));
    if (batch && batch->ops.size() == owner->shown.size()) {
      for (size_t at = 0; at < owner->shown.size(); ++at) {
        const Bytes key = batch->ops[at].key.bytes();
        owner->shown[at].key = key.data();
        owner->shown[at].key_size = key.size();
      }
      owner->batch = std::move(batch);
    }
    out->entries = owner->shown.data();
    out->count = owner->shown.size();
    out->owner = owner.release();
  } catch (const std::bad_alloc&) {
    cs_result_release(out);
    SetStatus(out, OutOfMemory(), origin);
  }
}

}  // namespace

void FillResult(cs_result* out, Answer&& answer, const Origin& origin) noexcept {
  Clear(out);
  SetStatus(out, std::move(answer.status), origin);
  SetMeta(out, answer.flags, answer.meta);
  out->tier = answer.tier;
  // An engine is its own first tier, and need not say so; nor has whoever wraps just it.
  if (answer.tier == 0 && out->status == CS_OK) out->tier = 1;
  if (answer.value) SetValue(out, std::move(answer.value));
}

void FillResult(cs_result* out, Hit&& hit, const Origin&) noexcept {
  Clear(out);
  SetMeta(out, 0, {hit.value->size(), hit.expires_at_ms, hit.version});
  out->tier = 1;
  SetValue(out, std::move(hit.value));
}

void FillResult(cs_result* out, Receipt&& receipt, const Origin& origin) noexcept {
  Clear(out);
  SetStatus(out, std::move(receipt.status), origin);
  SetMeta(out, receipt.flags, receipt.meta);
}

void FillResult(cs_result* out, Entries&& entries, const Origin& origin) noexcept {
  Clear(out);
  SetStatus(out, std::move(entries.status), origin);
  SetEntries(out, std::move(entries.entries), std::move(entries.batch), origin);
}

void FillResult(cs_result* out, Page&& page, const Origin& origin) noexcept {
  Clear(out);
  SetStatus(out, std::move(page.status), origin);
  SetEntries(out, std::move(page.entries), nullptr, origin);
}

void FillResult(cs_result* out, Status&& status, const Origin& origin) noexcept {
  Clear(out);
  SetStatus(out, std::move(status), origin);
}

}  // namespace chainstore

extern "C" {

void cs_result_release(cs_result* result) {
  if (!result) return;
  // Emptied first: a release function that it runs may look at the result again.
  const chainstore::Value* const value = chainstore::Unwrap(result->value);
  const chainstore::Error* const error = chainstore::Unwrap(result->error);
  auto* const owner = static_cast<chainstore::EntriesOwner*>(result->owner);
  chainstore::Clear(result);
  if (value) value->Unref();
  if (error) [[unlikely]]
    error->Unref();
  delete owner;
}

void cs_result_move(cs_result* to, cs_result* from) {
  if (!to || !from || to == from) return;
  *to = *from;
  chainstore::Clear(from);
}

}  // extern "C"
