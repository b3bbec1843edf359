#include "stores/memory/memory_store.h"

#include <algorithm>
#include <bit>
#include <new>

namespace chainstore {
namespace {

// What a put that finds no space looks through for expired entries, in buckets of up to seven:
// about a millisecond. The next such put goes on from there.
constexpr size_t kSweptAtFull = 4096;
// Gets of a batch whose cache lines are under way together: more than a core can have open.
constexpr size_t kBatchAhead = 32;

constexpr uint32_t kMaxShards = 1024;

// A store smaller than this takes its entries from the usual allocator: half a huge page.
#if defined(__SANITIZE_ADDRESS__)
constexpr uint64_t kHeapFrom = UINT64_MAX;  // each entry guarded by itself
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr uint64_t kHeapFrom = UINT64_MAX;
#else
constexpr uint64_t kHeapFrom = kHugePage / 2;
#endif
#else
constexpr uint64_t kHeapFrom = kHugePage / 2;
#endif

}  // namespace

Result<Ref<Store>> NewMemoryStore(uint64_t max_bytes, const Options* options) {
  const auto fail = [](Code code, const char* what) {
    return Failure(code, what).Store("memory:").Op("open");
  };
  const Result<OptionValues> values = OptionValues::Parse("memory:", kMemoryOptions, options);
  if (!values.ok()) return values.status();
  if (max_bytes == 0) return fail(Code::kInvalid, "max_bytes is 0: nothing could be stored");
  const uint64_t shards = values->Number("shards");
  if (shards > kMaxShards || !std::has_single_bit(shards)) {
    return fail(Code::kInvalid, "option 'shards' is not a power of two from 1 to 1024");
  }
  try {
    auto store = Ref<MemoryStore>::Adopt(
        new MemoryStore(max_bytes, static_cast<uint32_t>(shards), RuntimeFor(options)));
    for (uint64_t at = 0; at < shards; ++at) {
      if (!store->shards_[at].Init(&store->budget_, &store->arena_, &store->clock())) {
        throw std::bad_alloc();
      }
    }
    store->SetRecipe({"memory", {{"max_bytes", FormatSize(max_bytes)}}, kMemoryOptions, options});
    return Ref<Store>(std::move(store));
  } catch (const std::bad_alloc&) {
    return fail(Code::kNoMemory, "no memory for the table");
  }
}

MemoryStore::MemoryStore(uint64_t max_bytes, uint32_t shards, Ref<Runtime> runtime)
    : Store("memory:", std::move(runtime)),
      shard_mask_(shards - 1),
      heap_(MakeRef<EntryHeap>()),
      shards_(new MemoryShard[shards]),
      first_version_(static_cast<uint64_t>(clock().WallUs())),
      budget_(max_bytes) {}

uint32_t MemoryStore::caps() const noexcept {
  return kCapOrdered | kCapScan | kCapRange | kCapTtl | kCapTry | kCapZeroCopy;
}

uint64_t MemoryStore::EntryCost(size_t key_size, uint64_t value_size) const noexcept {
  return MemoryEntry::Cost(key_size, value_size);
}

bool MemoryStore::UsedBytes(uint64_t* bytes) const noexcept {
  *bytes = budget_.used_bytes();
  return true;
}

// ---- Reading ----

[[gnu::always_inline]] inline MemoryEntry* MemoryStore::Find(const Key& key) noexcept {
  MemoryShard& shard = ShardOf(key);
  MemoryEntry* entry = shard.Pin(key);
  if (entry && entry->has_expiry() && entry->IsExpired(clock().WallMs())) [[unlikely]] {
    MemoryShard::Retired retired;
    shard.Reclaim(key, entry, &retired);
    entry->Unref();
    return nullptr;
  }
  return entry;
}

// After closing nothing is left in the shards: only a miss has to ask.
Status MemoryStore::MissStatus(std::string_view operation) const noexcept {
  return closed() ? ClosedStatus(operation) : Status(Code::kNotFound);
}

[[gnu::always_inline]] inline Answer MemoryStore::AnswerOf(MemoryEntry* pinned, const Read& read,
                                                           const Call& call) noexcept {
  Answer answer;
  answer.tier = 1;
  answer.meta.total_size = pinned->size();
  answer.meta.expires_at_ms = pinned->expires_at_ms();
  answer.meta.version = VersionOf(*pinned);
  Ref<Value> value = Ref<Value>::Adopt(pinned);
  if (read.what == Read::What::kWhole && (value->is_heap() || !call.Has(Call::kOwned))) [[likely]] {
    answer.value = std::move(value);
    return answer;
  }
  if (read.what == Read::What::kStat) return answer;
  try {
    const size_t size = value->size();
    if (read.what == Read::What::kRange) {
      value = Value::Slice(std::move(value), read.Offset(size), read.Length(size));
    }
    const bool copy = call.Has(Call::kOwned) && !value->is_heap();
    answer.value = copy ? Value::Copy(value->bytes()) : std::move(value);
  } catch (const std::bad_alloc&) {
    return Answer(Status(Fail(Code::kNoMemory, "get", "no memory for the answer")));
  }
  return answer;
}

void MemoryStore::Get(const Key& key, const Read& read, const Call& call,
                      Done<Answer> done) noexcept {
  if (call.limited()) {
    if (const Code ended = call.Check(); ended != Code::kOk) {
      return done(Answer(EndedStatus(ended, "get")));
    }
  }
  MemoryEntry* entry = Find(key);
  if (!entry) return done(Answer(MissStatus("get")));
  done(AnswerOf(entry, read, call));
}

bool MemoryStore::GetHit(const Key& key, Hit* hit) noexcept {
  MemoryEntry* const entry = Find(key);
  if (!entry) return false;
  hit->value = Ref<Value>::Adopt(entry);
  hit->expires_at_ms = entry->expires_at_ms();
  hit->version = VersionOf(*entry);
  return true;
}

void MemoryStore::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  if (const Code ended = call.Check(); ended != Code::kOk) {
    return done(Entries(EndedStatus(ended, "get_many")));
  }
  if (closed()) return done(Entries(ClosedStatus("get_many")));
  Entries out;
  try {
    out.entries.resize(keys.size());
  } catch (const std::bad_alloc&) {
    return done(Entries(Status(Fail(Code::kNoMemory, "get_many", "no memory for the answer"))));
  }
  for (size_t from = 0; from < keys.size(); from += kBatchAhead) {
    const size_t to = std::min(keys.size(), from + kBatchAhead);
    for (size_t at = from; at < to; ++at) ShardOf(keys[at]).PrefetchBucket(keys[at]);
    for (size_t at = from; at < to; ++at) ShardOf(keys[at]).PrefetchEntry(keys[at]);
    for (size_t at = from; at < to; ++at) {
      Entry& entry = out.entries[at];
      MemoryEntry* const found = Find(keys[at]);
      Answer answer = found ? AnswerOf(found, Read::Whole(), call) : Answer(MissStatus("get_many"));
      entry.key = std::move(keys[at]).TakeBytes();
      entry.status = std::move(answer.status);
      entry.meta = answer.meta;
      entry.value = std::move(answer.value);
    }
  }
  out.Summarise(name(), "get_many");
  done(std::move(out));
}

// ---- Writing ----

Status MemoryStore::PutFailure(Code code, size_t key_size, size_t value_size) const noexcept {
  switch (code) {
    case Code::kClosed:
      return ClosedStatus("put");
    case Code::kNoMemory:
      return Fail(code, "put", "no memory for the entry");
    case Code::kNoSpace:
      return Fail(code, "put",
                  "the entry takes " + std::to_string(EntryCost(key_size, value_size)) +
                      " bytes, and " + std::to_string(budget_.used_bytes()) +
                      " of max_bytes=" + std::to_string(budget_.max_bytes()) + " are used")
          .Hint("delete entries, raise max_bytes, or put an LRU around the store");
    default:
      return code;
  }
}

EntryHeap* MemoryStore::HeapForEntries() const noexcept {
  return budget_.used_bytes() < kHeapFrom ? nullptr : heap_.get();
}

void MemoryStore::SweepForSpace(const Key& key) noexcept {
  size_t buckets = kSweptAtFull;
  const uint64_t first = key.hash >> 48;
  for (uint64_t at = 0; at <= shard_mask_; ++at) {
    MemoryShard& shard = shards_[(first + at) & shard_mask_];
    for (bool more = true; more && buckets != 0;) {
      MemoryShard::Retired retired;
      more = shard.Sweep(&buckets, &retired);
    }
  }
}

Status MemoryStore::PutOne(const Key& key, const Payload& payload, const Call& call,
                           Meta* meta) noexcept {
  const size_t key_size = key.bytes.size();
  if (key_size == 0 || key_size > kMaxKeySize) {
    return Fail(Code::kInvalid, "put",
                "a key has 1 to 1024 bytes, not " + std::to_string(key_size));
  }
  // A copy that could never be kept is not made.
  if (EntryCost(key_size, payload.size()) > budget_.max_bytes()) {
    return closed() ? ClosedStatus("put") : PutFailure(Code::kNoSpace, key_size, payload.size());
  }
  MemoryEntry* const entry = MemoryEntry::New(key, payload, HeapForEntries());
  if (!entry) return PutFailure(Code::kNoMemory, key_size, payload.size());
  const bool if_absent = call.Has(Call::kIfAbsent);
  MemoryShard& shard = ShardOf(key);
  Code code;
  {
    MemoryShard::Retired retired;
    code = shard.Put(entry, key, if_absent, &retired);
  }
  if (code == Code::kNoSpace) {
    SweepForSpace(key);
    MemoryShard::Retired retired;
    code = shard.Put(entry, key, if_absent, &retired);
  }
  if (code != Code::kOk) {
    entry->Unref();
    return PutFailure(code, key_size, payload.size());
  }
  meta->total_size = payload.size();
  meta->expires_at_ms = payload.expires_at_ms();
  return Code::kOk;
}

void MemoryStore::Put(const Key& key, const Payload& payload, const Call& call,
                      Done<Receipt> done) noexcept {
  if (call.limited()) {
    if (const Code ended = call.Check(); ended != Code::kOk) {
      return done(Receipt(EndedStatus(ended, "put")));
    }
  }
  Receipt receipt;
  receipt.status = PutOne(key, payload, call, &receipt.meta);
  done(std::move(receipt));
}

void MemoryStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (call.limited()) {
    if (const Code ended = call.Check(); ended != Code::kOk) {
      return done(Receipt(EndedStatus(ended, "del")));
    }
  }
  Code code;
  {
    MemoryShard::Retired retired;
    code = ShardOf(key).Del(key, &retired);
  }
  done(Receipt(code == Code::kOk ? Status() : ClosedStatus("del")));
}

void MemoryStore::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (const Code ended = call.Check(); ended != Code::kOk) {
    return done(Entries(EndedStatus(ended, "write")));
  }
  if (closed()) return done(Entries(ClosedStatus("write")));
  Entries out;
  try {
    out.entries.resize(batch->ops.size());
  } catch (const std::bad_alloc&) {
    return done(Entries(Status(Fail(Code::kNoMemory, "write", "no memory for the answer"))));
  }
  for (size_t at = 0; at < batch->ops.size(); ++at) {
    const Batch::Op& op = batch->ops[at];
    Entry& entry = out.entries[at];
    if (op.value) {
      entry.status = PutOne(op.key, Payload(op.value, op.expires_at_ms), call, &entry.meta);
    } else {
      MemoryShard::Retired retired;
      const Code code = ShardOf(op.key).Del(op.key, &retired);
      entry.status = code == Code::kOk ? Status() : ClosedStatus("write");
    }
  }
  out.Summarise(name(), "write");
  done(std::move(out));
}

// ---- The rest ----

void MemoryStore::Flush(Bytes, const Call&, Done<Status> done) noexcept {
  done(closed() ? ClosedStatus("flush") : Status());
}

Status MemoryStore::Set(std::string_view option, std::string_view value) {
  if (option != "max_bytes") return Store::Set(option, value);
  if (closed()) return ClosedStatus("set");
  const Result<uint64_t> bytes = ParseSize(value);
  if (!bytes.ok()) {
    return Fail(Code::kInvalid, "set", "option 'max_bytes': " + bytes.status().error()->message());
  }
  if (*bytes == 0) return Fail(Code::kInvalid, "set", "max_bytes is 0: nothing could be stored");
  budget_.set_max_bytes(*bytes);
  return Code::kOk;
}

void MemoryStore::CloseSelf(const Call&, Done<Status> done) noexcept {
  for (uint64_t at = 0; at <= shard_mask_; ++at) {
    for (bool more = true; more;) {
      MemoryShard::Retired retired;
      more = shards_[at].Clear(&retired);
    }
  }
  done(Status());
}

}  // namespace chainstore
