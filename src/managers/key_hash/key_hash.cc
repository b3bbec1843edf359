#include "managers/key_hash/key_hash.h"

#include <algorithm>
#include <cstring>

#include "core/key_slots.h"
#include "managers/key_hash/hashed_value.h"
#include "managers/key_hash/key_scan.h"

namespace chainstore {
namespace {

constexpr size_t HeaderSize(size_t key_size) { return kHashedHeaderSize + key_size; }

uint64_t AddSaturated(uint64_t a, uint64_t b) { return a > UINT64_MAX - b ? UINT64_MAX : a + b; }

Ref<Value> Encode(Bytes key, Bytes value) {
  const std::string header = HashedHeader(key);
  char* data = nullptr;
  Ref<Value> stored = Value::Allocate(header.size() + value.size(), &data);
  memcpy(data, header.data(), header.size());
  if (!value.empty()) memcpy(data + header.size(), value.data(), value.size());
  return stored;
}

class KeyHash final : public Wrapper {
 public:
  KeyHash(Ref<Store> inner, const Digest& digest)
      : Wrapper("hash", std::move(inner)), digest_(digest), slots_(runtime_ref()) {}

  uint32_t caps() const noexcept override {
    uint32_t caps = wrapped().caps() & ~uint32_t{kCapRange | kCapOrdered};
    if (caps & kCapScan) caps |= kCapOrdered;
    return digest_.may_collide ? caps & ~uint32_t{kCapAtomicBatch} : caps;
  }
  Limits limits() const noexcept override {
    Limits limits = inner(0)->limits();
    limits.max_key_size = kMaxKeySize;
    if (limits.max_value_size != UINT64_MAX) {
      limits.max_value_size -= std::min<uint64_t>(limits.max_value_size, HeaderSize(kMaxKeySize));
    }
    return limits;
  }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override {
    return inner(0)->EntryCost(digest_.size, AddSaturated(HeaderSize(key_size), value_size));
  }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override {
    if (!Enter("scan", call, &done)) return;
    if (!(caps() & kCapScan)) {
      return done(Page(Fail(Code::kUnsupported, "scan", wrapped().name() + " cannot scan")));
    }
    MakeRef<KeyScan>(Ref<Store>(this), *inner(0), range, call, std::move(done))->Run();
  }
  // Digests of one prefix have none in common.
  void Flush(Bytes, const Call& call, Done<Status> done) noexcept override {
    if (Enter("flush", call, &done)) wrapped().Flush("", call, std::move(done));
  }
  void NoteMiss(const Key& key) noexcept override {
    const std::string place = digest_.of(key.bytes);
    inner(0)->NoteMiss(Key(place));
  }

 private:
  // Turns what is stored into what was asked for; a miss if it is another key's.
  Answer Found(Bytes key, const Read& read, Answer&& stored) const;
  Status NotOurs(const char* operation) const {
    return Fail(Code::kCorrupt, operation,
                "what is in " + wrapped().name() + " was not written by a key_hash");
  }
  // Where a key's entry stands, for the length of a write.
  struct Place {
    OwnedKey digest;
    Status may;  // kExists: another key's entry is there; a failure: nobody could tell
    bool locked = false;
  };
  using Entered = UniqueFunction<void(Place&&)>;
  // Finds out whether the place is the key's own, and keeps it until Leave.
  void Occupy(const Key& key, const char* operation, const Call& call, Entered write);
  void LookWhoIsThere(Place place, std::string key, const Call& call, Entered write);
  void Leave(const Place& place) {
    if (place.locked) slots_.Release(place.digest);
  }

  const Digest& digest_;
  KeySlots slots_;
};

Answer KeyHash::Found(Bytes key, const Read& read, Answer&& stored) const {
  HashedValue view;
  if (!stored.value || !DecodeHashed(stored.value->bytes(), &view)) return NotOurs("get");
  if (view.key != key) return Answer(Code::kNotFound);
  const size_t header = HeaderSize(key.size());
  const size_t total = stored.meta.total_size - header;
  stored.meta.total_size = total;
  if (read.what == Read::What::kStat) {
    stored.value = nullptr;
  } else {
    const Ref<Value> whole = std::move(stored.value);
    stored.value = Value::Slice(whole, header + read.Offset(total), read.Length(total));
  }
  return std::move(stored);
}

void KeyHash::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  if (!Enter("get", call, &done)) return;
  const size_t header = HeaderSize(key.bytes.size());
  Read below = Read::Whole();
  // Longer than the header by what another key could have there: it must be seen whole.
  if (read.what == Read::What::kStat) below = Read::Range(0, HeaderSize(kMaxKeySize));
  if (read.what == Read::What::kRange) {
    const uint64_t end = AddSaturated(header, AddSaturated(read.offset, read.length));
    below = Read::Range(0, std::max<uint64_t>(end, HeaderSize(kMaxKeySize)));
  }
  const std::string place = digest_.of(key.bytes);
  wrapped().Get(
      Key(place), below, call,
      [this, key = std::string(key.bytes), read, done = std::move(done)](Answer&& answer) mutable {
        if (!answer.status.ok()) return done(std::move(answer));
        done(Found(key, read, std::move(answer)));
      });
}

void KeyHash::Occupy(const Key& key, const char* operation, const Call& call, Entered write) {
  Place place;
  place.digest = OwnedKey(Key(digest_.of(key.bytes)));
  if (!digest_.may_collide) return write(std::move(place));
  const OwnedKey slot = place.digest;
  slots_.Acquire(
      slot, call,
      [this, self = Ref<KeyHash>(this), place = std::move(place), key = std::string(key.bytes),
       operation, call, write = std::move(write)](Status&& turn) mutable {
        place.locked = turn.ok();
        if (turn.ok()) {
          return LookWhoIsThere(std::move(place), std::move(key), call, std::move(write));
        }
        place.may = turn.failed() ? EndedStatus(turn.code(), operation) : turn;
        write(std::move(place));
      });
}

void KeyHash::LookWhoIsThere(Place place, std::string key, const Call& call, Entered write) {
  const OwnedKey at = place.digest;
  wrapped().Get(
      at, Read::Range(0, HeaderSize(kMaxKeySize)), call,
      [place = std::move(place), key = std::move(key),
       write = std::move(write)](Answer&& there) mutable {
        HashedValue view;
        if (there.status.ok()) {
          // What is broken may be replaced.
          const bool other =
              there.value && DecodeHashed(there.value->bytes(), &view) && view.key != key;
          if (other) place.may = Code::kExists;
        } else if (!there.status.Is(Code::kNotFound) && !there.status.Is(Code::kCorrupt)) {
          place.may = std::move(there.status);
        }
        write(std::move(place));
      });
}

void KeyHash::Put(const Key& key, const Payload& payload, const Call& call,
                  Done<Receipt> done) noexcept {
  if (!Enter("put", call, &done)) return;
  Payload stored(Encode(key.bytes, payload.bytes()), payload.expires_at_ms());
  const size_t header = HeaderSize(key.bytes.size());
  Occupy(key, "put", call,
         [this, self = Ref<KeyHash>(this), stored = std::move(stored), call, header,
          done = std::move(done)](Place&& place) mutable {
           if (place.may.Is(Code::kExists)) {
             place.may = Fail(Code::kUnsupported, "put",
                              std::string("another key has the same ") + digest_.name + " digest")
                             .Hint("rename the key, or use sha256");
           }
           if (!place.may.ok()) {
             Leave(place);
             return done(Receipt(std::move(place.may)));
           }
           const OwnedKey at = place.digest;
           wrapped().Put(at, stored, call,
                         [this, self, place = std::move(place), header,
                          done = std::move(done)](Receipt&& receipt) mutable {
                           Leave(place);
                           receipt.meta.total_size -=
                               std::min<uint64_t>(receipt.meta.total_size, header);
                           done(std::move(receipt));
                         });
         });
}

void KeyHash::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (!Enter("del", call, &done)) return;
  Occupy(key, "del", call,
         [this, self = Ref<KeyHash>(this), call, done = std::move(done)](Place&& place) mutable {
           if (!place.may.ok()) {
             Leave(place);
             // The other key's entry stays; this one was never there.
             const bool other = place.may.Is(Code::kExists);
             return done(other ? Receipt() : Receipt(std::move(place.may)));
           }
           const OwnedKey at = place.digest;
           wrapped().Del(at, call,
                         [this, self, place = std::move(place),
                          done = std::move(done)](Receipt&& receipt) mutable {
                           Leave(place);
                           done(std::move(receipt));
                         });
         });
}

void KeyHash::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  if (!Enter("get_many", call, &done)) return;
  Keys places;
  places.reserve(keys.size());
  for (const OwnedKey& key : keys) places.emplace_back(Key(digest_.of(key.bytes())));
  wrapped().GetMany(
      std::move(places), call,
      [this, keys = std::move(keys), done = std::move(done)](Entries&& found) mutable {
        for (size_t at = 0; at < found.entries.size(); ++at) {
          Entry& entry = found.entries[at];
          entry.key = keys[at].bytes();
          if (!entry.status.ok()) continue;
          Answer stored;
          stored.meta = entry.meta;
          stored.value = std::move(entry.value);
          Answer own = Found(entry.key, Read::Whole(), std::move(stored));
          entry.status = std::move(own.status);
          entry.meta = own.meta;
          entry.value = std::move(own.value);
        }
        if (!found.entries.empty()) found.Summarise(name(), "get_many");
        done(std::move(found));
      });
}

void KeyHash::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  // One by one, each after its look at who is there.
  if (digest_.may_collide) return Store::Write(std::move(batch), call, std::move(done));
  if (!Enter("write", call, &done)) return;
  auto hashed = MakeRef<Batch>();
  hashed->ops.reserve(batch->ops.size());
  for (const Batch::Op& op : batch->ops) {
    const Bytes key = op.key.bytes();
    hashed->ops.push_back({OwnedKey(Key(digest_.of(key))),
                           op.value ? Encode(key, op.value->bytes()) : nullptr, op.expires_at_ms});
  }
  wrapped().Write(Ref<const Batch>(hashed.get()), call,
                  [batch, done = std::move(done)](Entries&& written) mutable {
                    for (size_t at = 0; at < written.entries.size(); ++at) {
                      Entry& entry = written.entries[at];
                      const size_t header = HeaderSize(batch->ops[at].key.bytes().size());
                      entry.key = batch->ops[at].key.bytes();
                      entry.meta.total_size -= std::min<uint64_t>(entry.meta.total_size, header);
                    }
                    done(std::move(written));
                  });
}

}  // namespace

Ref<Store> NewKeyHashWith(Ref<Store> inner, const Digest& digest) {
  return Ref<Store>(MakeRef<KeyHash>(std::move(inner), digest));
}

Result<Ref<Store>> NewKeyHash(Ref<Store> inner, std::string_view digest, const Options* options) {
  auto values = OptionValues::Parse("hash", kKeyHashOptions, options);
  if (!values.ok()) return values.status();
  const Digest* const found = FindDigest(digest);
  if (!found) {
    return Failure(Code::kInvalid, "there is no digest '" + std::string(digest.substr(0, 64)) +
                                       "': it is sha256 or xxh3-128")
        .Store("hash");
  }
  if (inner->limits().max_key_size < found->size) {
    return Failure(Code::kInvalid, inner->name() + " takes no keys as long as the digest")
        .Store("hash");
  }
  Ref<Store> store = NewKeyHashWith(std::move(inner), *found);
  store->SetRecipe({"hash", {{"digest", found->name}}, kKeyHashOptions, nullptr});
  return store;
}

}  // namespace chainstore
