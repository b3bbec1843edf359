// MemoryStore: a map in this process, with a ceiling in bytes. It evicts nothing by itself: at the
// ceiling a put answers kNoSpace. A hit copies nothing, allocates nothing and takes no lock: the
// answer's value is the entry. Every answer is given inline, under every kind of wait.
// What an entry takes, and when values are held rather than copied: memory_entry.h; the table:
// memory_shard.h.
// Thread safety: as Store.
#pragma once

#include <memory>

#include "core/option.h"
#include "core/store.h"
#include "stores/memory/entry_heap.h"
#include "stores/memory/memory_budget.h"
#include "stores/memory/memory_shard.h"

namespace chainstore {

inline constexpr OptionSpec kMemoryOptions[] = {
    {"shards", OptionSpec::Type::kCount, "16",
     "parts of the table that can be written at the same time, 1 to 1024; a power of two"},
};

Result<Ref<Store>> NewMemoryStore(uint64_t max_bytes, const Options* options);

class MemoryStore final : public Store {
 public:
  uint32_t caps() const noexcept override;
  Limits limits() const noexcept override { return {}; }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override;
  bool UsedBytes(uint64_t* bytes) const noexcept override;

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  bool GetHit(const Key& key, Hit* hit) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;
  // "max_bytes": a ceiling below what is used evicts nothing, puts answer kNoSpace until it fits.
  Status Set(std::string_view option, std::string_view value) override;

 protected:
  void CloseSelf(const Call& call, Done<Status> done) noexcept override;

 private:
  friend Result<Ref<Store>> NewMemoryStore(uint64_t max_bytes, const Options* options);
  MemoryStore(uint64_t max_bytes, uint32_t shards, Ref<Runtime> runtime);

  MemoryShard& ShardOf(const Key& key) const noexcept {
    return shards_[key.hash >> 48 & shard_mask_];
  }
  const Clock& clock() const noexcept { return runtime().clock(); }
  // The live entry, pinned; null: a miss.
  MemoryEntry* Find(const Key& key) noexcept;
  Answer AnswerOf(MemoryEntry* pinned, const Read& read, const Call& call) noexcept;
  uint64_t VersionOf(const MemoryEntry& entry) const noexcept {
    return first_version_ + entry.version();
  }
  Status MissStatus(std::string_view operation) const noexcept;
  Status PutOne(const Key& key, const Payload& payload, const Call& call, Meta* meta) noexcept;
  Status PutFailure(Code code, size_t key_size, size_t value_size) const noexcept;
  // Null while the store is so small that whole huge pages would be waste.
  EntryHeap* HeapForEntries() const noexcept;
  void SweepForSpace(const Key& key) noexcept;
  Page ScanPage(const Range& range, const Call& call);

  const uint64_t shard_mask_;
  TableArena arena_;
  const Ref<EntryHeap> heap_;
  const std::unique_ptr<MemoryShard[]> shards_;
  // Versions count on from here, so that they do not repeat after a restart.
  const uint64_t first_version_;
  MemoryBudget budget_;
};

}  // namespace chainstore
