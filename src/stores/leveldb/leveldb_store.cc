#include "stores/leveldb/leveldb_store.h"

#include <leveldb/write_batch.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <new>

#include "stores/leveldb/database.h"
#include "stores/leveldb/engine_settings.h"
#include "stores/leveldb/format_mark.h"
#include "stores/owned_directory.h"
#include "stores/record.h"

namespace chainstore {
namespace {

// The bookkeeping of an entry beside key and value, for an LRU's ceiling.
constexpr uint64_t kEntryOverheadBytes = 64;

leveldb::Slice ToSlice(Bytes bytes) { return leveldb::Slice(bytes.data(), bytes.size()); }
Bytes ToBytes(const leveldb::Slice& slice) { return Bytes(slice.data(), slice.size()); }

// A string that LevelDB filled, and the part of it that is the value: adopted, not copied.
struct StringHolder {
  std::string text;
};
class StringValue final : private StringHolder, public Value {
 public:
  StringValue(std::string&& whole, size_t offset)
      : StringHolder{std::move(whole)},
        Value(
            Bytes(text).substr(offset), /*is_heap=*/true,
            [](Value* value) noexcept { delete static_cast<StringValue*>(value); },
            /*is_keepable=*/true) {}
};

// What a write is put together in. Kept from one write to the next: its memory has grown to what
// they take.
struct Workspace {
  leveldb::WriteBatch batch;
  std::string record;
};
class Workspaces {
 public:
  ~Workspaces() { delete spare_.load(std::memory_order_relaxed); }
  // An empty one; throws std::bad_alloc.
  std::unique_ptr<Workspace> Take() {
    std::unique_ptr<Workspace> spare(spare_.exchange(nullptr, std::memory_order_acquire));
    return spare ? std::move(spare) : std::make_unique<Workspace>();
  }
  void GiveBack(std::unique_ptr<Workspace> used) noexcept {
    if (used->batch.ApproximateSize() > kKeptBytes || used->record.size() > kKeptBytes) return;
    used->batch.Clear();
    delete spare_.exchange(used.release(), std::memory_order_acq_rel);
  }

 private:
  static constexpr size_t kKeptBytes = size_t{256} << 10;
  std::atomic<Workspace*> spare_{nullptr};
};

class LevelDbStore final : public BlockingStore {
 public:
  struct Shape {
    bool cache = false;
    bool raw = false;
    bool verify = true;
  };
  LevelDbStore(std::string name, Ref<Runtime> runtime, std::unique_ptr<OwnedDirectory> directory,
               std::unique_ptr<Database> database, const Shape& shape)
      : BlockingStore(std::move(name), std::move(runtime)),
        shape_(shape),
        directory_(std::move(directory)),
        database_(std::move(database)) {
    directory_->SetOwner(this);
    read_options_.verify_checksums = shape_.raw && shape_.verify;
  }

  uint32_t caps() const noexcept override {
    return kCapOrdered | kCapAtomicBatch | kCapScan | (shape_.raw ? 0u : kCapTtl) |
           (shape_.cache ? 0u : kCapDurable);
  }
  Limits limits() const noexcept override {
    return {kMaxKeySize, kMaxLevelDbValueBytes, !shape_.raw};
  }
  std::string directory() const override { return directory_->path(); }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override {
    return key_size + value_size + kEntryOverheadBytes;
  }

 protected:
  Answer GetHere(const Key& key, const Read& read, const Call& call) noexcept override;
  Receipt PutHere(const Key& key, const Payload& payload, const Call& call) noexcept override;
  Receipt DelHere(const Key& key, const Call& call) noexcept override;
  Entries WriteHere(const Batch& batch, const Call& call) noexcept override;
  Page ScanHere(const Range& range, const Call& call) noexcept override;
  Status FlushHere(Bytes prefix, const Call& call) noexcept override;
  Status CloseHere(const Call& call) noexcept override;

 private:
  // Where the value begins in what is stored, and what is known of it. kNotFound: expired.
  Status Decode(const char* operation, Bytes key, Bytes stored, int64_t now_ms, Meta* meta,
                size_t* value_at) const;
  // kOk: there is a live entry. kNotFound: there is none.
  Status Probe(const char* operation, Bytes key);
  Status CheckPut(const char* operation, Bytes key, uint64_t size, int64_t expires_at_ms) const;
  // Adds a put to `out` and fills in what it will have stored.
  void AddPut(Bytes key, Bytes value, int64_t expires_at_ms, uint64_t version, Workspace* out,
              Meta* meta);
  // Checks the ops and adds them.
  Status AddOps(const Batch& batch, Workspace* out, Entries* entries);
  // Writes what `add(workspace)`, which may throw std::bad_alloc, has put together.
  template <class Add>
  Status WriteOut(const char* operation, Add&& add);
  // The entry at `found` for a page; false: expired, not to be shown.
  bool TakeEntry(const leveldb::Iterator& found, const Range& range, int64_t now_ms,
                 Entry* entry) const;
  Status FillPage(leveldb::DB& db, const Range& range, const Call& call, Page* page) const;
  // The first of so many versions in a row.
  uint64_t NextVersions(uint64_t count) noexcept;
  int64_t NowMs() const noexcept { return runtime().clock().WallMs(); }
  Status OutOfMemory(const char* operation) const {
    return Fail(Code::kNoMemory, operation, "out of memory");
  }

  const Shape shape_;
  const std::unique_ptr<OwnedDirectory> directory_;
  const std::unique_ptr<Database> database_;
  leveldb::ReadOptions read_options_;
  Workspaces workspaces_;
  std::atomic<uint64_t> last_version_{0};
};

uint64_t LevelDbStore::NextVersions(uint64_t count) noexcept {
  if (shape_.raw) return 0;
  const auto now_us = static_cast<uint64_t>(runtime().clock().WallUs());
  uint64_t last = last_version_.load(std::memory_order_relaxed);
  uint64_t first;
  do {
    first = std::max(now_us, last + 1);
  } while (
      !last_version_.compare_exchange_weak(last, first + count - 1, std::memory_order_relaxed));
  return first;
}

// ---- Reading ----

Status LevelDbStore::Decode(const char* operation, Bytes key, Bytes stored, int64_t now_ms,
                            Meta* meta, size_t* value_at) const {
  if (shape_.raw) {
    meta->total_size = stored.size();
    *value_at = 0;
    return Code::kOk;
  }
  RecordView view;
  std::string why;
  if (!DecodeRecord(stored, key, shape_.verify, &view, &why)) {
    return Fail(Code::kCorrupt, operation, "a stored entry is damaged: " + why)
        .KeyIs(key)
        .Path(directory_->path());
  }
  if (view.meta.expires_at_ms != 0 && view.meta.expires_at_ms <= now_ms) return Code::kNotFound;
  *meta = view.meta;
  *value_at = stored.size() - view.value.size();
  return Code::kOk;
}

Answer LevelDbStore::GetHere(const Key& key, const Read& read, const Call&) noexcept try {
  std::string stored;
  leveldb::Status found;
  Answer answer = database_->Read("get", [&](leveldb::DB& db) -> Status {
    found = db.Get(read_options_, ToSlice(key.bytes), &stored);
    return Code::kOk;
  });
  if (!answer.status.ok()) return answer;
  if (found.IsNotFound()) return Code::kNotFound;
  if (!found.ok()) return Status(database_->Fail("get", found).KeyIs(key.bytes));
  size_t value_at = 0;
  answer.status = Decode("get", key.bytes, stored, NowMs(), &answer.meta, &value_at);
  if (!answer.status.ok()) return answer;
  answer.tier = 1;
  if (read.what == Read::What::kStat) return answer;
  const size_t total = stored.size() - value_at;
  const size_t offset = read.Offset(total);
  const size_t length = read.Length(total);
  if (read.what == Read::What::kRange && length < total) {
    answer.value = Value::Copy(Bytes(stored).substr(value_at + offset, length));
  } else {
    answer.value = Ref<Value>::Adopt(new StringValue(std::move(stored), value_at));
  }
  return answer;
} catch (const std::bad_alloc&) {
  return OutOfMemory("get");
}

Status LevelDbStore::Probe(const char* operation, Bytes key) try {
  std::string stored;
  leveldb::Status found;
  Status status = database_->Read(operation, [&](leveldb::DB& db) -> Status {
    found = db.Get(read_options_, ToSlice(key), &stored);
    return Code::kOk;
  });
  if (!status.ok()) return status;
  if (found.IsNotFound()) return Code::kNotFound;
  if (!found.ok()) return database_->Fail(operation, found).KeyIs(key);
  Meta meta;
  size_t value_at = 0;
  return Decode(operation, key, stored, NowMs(), &meta, &value_at);
} catch (const std::bad_alloc&) {
  return OutOfMemory(operation);
}

// ---- Writing ----

Status LevelDbStore::CheckPut(const char* operation, Bytes key, uint64_t size,
                              int64_t expires_at_ms) const {
  if (size > kMaxLevelDbValueBytes) {
    return Fail(Code::kTooLarge, operation,
                "a value of " + std::to_string(size) + " bytes is larger than this store takes (" +
                    std::to_string(kMaxLevelDbValueBytes) + ")")
        .KeyIs(key);
  }
  if (expires_at_ms == 0) return Code::kOk;
  if (shape_.raw) {
    return Fail(Code::kUnsupported, operation, "format=raw keeps no expiry")
        .KeyIs(key)
        .Hint("put it without a time to live, or use format=record");
  }
  if (expires_at_ms > kMaxExpiryMs) {
    return Fail(Code::kInvalid, operation, "the time to live is too long").KeyIs(key);
  }
  return Code::kOk;
}

void LevelDbStore::AddPut(Bytes key, Bytes value, int64_t expires_at_ms, uint64_t version,
                          Workspace* out, Meta* meta) {
  meta->total_size = value.size();
  if (shape_.raw) return out->batch.Put(ToSlice(key), ToSlice(value));
  meta->expires_at_ms = expires_at_ms;
  meta->version = version;
  EncodeRecord(key, value, *meta, /*keep_key=*/false, &out->record);
  out->batch.Put(ToSlice(key), ToSlice(out->record));
}

template <class Add>
Status LevelDbStore::WriteOut(const char* operation, Add&& add) {
  std::unique_ptr<Workspace> workspace;
  Status status;
  try {
    workspace = workspaces_.Take();
    status = add(workspace.get());
  } catch (const std::bad_alloc&) {
    return OutOfMemory(operation);
  }
  if (status.ok()) status = database_->Write(operation, &workspace->batch, !shape_.cache);
  workspaces_.GiveBack(std::move(workspace));
  return status;
}

Receipt LevelDbStore::PutHere(const Key& key, const Payload& payload, const Call& call) noexcept {
  Receipt receipt = CheckPut("put", key.bytes, payload.size(), payload.expires_at_ms());
  if (!receipt.status.ok()) return receipt;
  if (call.Has(Call::kIfAbsent)) {
    Status there = Probe("put", key.bytes);
    if (there.ok()) return Code::kExists;
    if (!there.Is(Code::kNotFound)) return there;
  }
  receipt.status = WriteOut("put", [&](Workspace* out) -> Status {
    AddPut(key.bytes, payload.bytes(), payload.expires_at_ms(), NextVersions(1), out,
           &receipt.meta);
    return Code::kOk;
  });
  return receipt;
}

Receipt LevelDbStore::DelHere(const Key& key, const Call&) noexcept {
  return WriteOut("del", [&](Workspace* out) -> Status {
    out->batch.Delete(ToSlice(key.bytes));
    return Code::kOk;
  });
}

Status LevelDbStore::AddOps(const Batch& batch, Workspace* out, Entries* entries) {
  const uint64_t first_version = NextVersions(batch.ops.size());
  for (size_t at = 0; at < batch.ops.size(); ++at) {
    const Batch::Op& op = batch.ops[at];
    const Bytes key = op.key.bytes();
    if (!op.value) {
      out->batch.Delete(ToSlice(key));
      continue;
    }
    Status status = CheckPut("write", key, op.value->size(), op.expires_at_ms);
    if (!status.ok()) return status;
    AddPut(key, op.value->bytes(), op.expires_at_ms, first_version + at, out,
           &entries->entries[at].meta);
  }
  return Code::kOk;
}

Entries LevelDbStore::WriteHere(const Batch& batch, const Call&) noexcept {
  Entries entries;
  entries.entries.resize(batch.ops.size());
  const Status status =
      WriteOut("write", [&](Workspace* out) { return AddOps(batch, out, &entries); });
  // All or nothing: what one op fails with is the answer to all.
  if (!status.ok()) {
    for (Entry& entry : entries.entries) {
      entry.status = status;
      entry.meta = Meta();
    }
  }
  entries.Summarise(name(), "write");
  return entries;
}

// ---- Scanning ----

namespace {

// Steps through a page's range in its direction.
class Cursor {
 public:
  Cursor(leveldb::Iterator* iterator, const Range& range) : at_(*iterator), range_(range) {
    range.reverse ? SeekLast() : SeekFirst();
  }
  bool Valid() const { return at_.Valid() && range_.Contains(ToBytes(at_.key())); }
  void Step() { range_.reverse ? at_.Prev() : at_.Next(); }

 private:
  void SeekFirst() {
    at_.Seek(ToSlice(range_.First()));
    if (range_.has_after && at_.Valid() && ToBytes(at_.key()) == Bytes(range_.after)) at_.Next();
  }
  void SeekLast() {
    const std::string beyond = range_.Beyond();
    if (!beyond.empty()) at_.Seek(ToSlice(beyond));
    if (beyond.empty() || !at_.Valid()) {
      at_.SeekToLast();
    } else {
      at_.Prev();
    }
  }

  leveldb::Iterator& at_;
  const Range& range_;
};

}  // namespace

bool LevelDbStore::TakeEntry(const leveldb::Iterator& found, const Range& range, int64_t now_ms,
                             Entry* entry) const {
  const Bytes key = ToBytes(found.key());
  const Bytes stored = ToBytes(found.value());
  size_t value_at = 0;
  entry->status = Decode("scan", key, stored, now_ms, &entry->meta, &value_at);
  if (entry->status.Is(Code::kNotFound)) return false;
  entry->key = key;
  if (entry->status.ok() && !range.keys_only) entry->value = Value::Copy(stored.substr(value_at));
  return true;
}

Status LevelDbStore::FillPage(leveldb::DB& db, const Range& range, const Call& call,
                              Page* page) const {
  leveldb::ReadOptions options = read_options_;
  options.fill_cache = false;  // a scan must not push out what gets use
  const std::unique_ptr<leveldb::Iterator> found(db.NewIterator(options));
  const int64_t now_ms = NowMs();
  size_t bytes = 0;
  // Entries that are passed by (expired) count as work: the deadline is looked at every so often.
  constexpr uint32_t kStepsPerCheck = 64;
  uint32_t steps = 0;
  Cursor cursor(found.get(), range);
  for (; cursor.Valid(); cursor.Step()) {
    if (++steps % kStepsPerCheck == 0) {
      if (const Code ended = call.Check(); ended != Code::kOk) return EndedStatus(ended, "scan");
    }
    if (page->entries.size() >= range.Limit() || bytes >= Range::kMaxPageBytes) {
      page->more = true;
      break;
    }
    Entry entry;
    if (!TakeEntry(*found, range, now_ms, &entry)) continue;
    bytes += entry.key.size() + (entry.value ? entry.value->size() : 0);
    page->entries.push_back(std::move(entry));
  }
  if (!found->status().ok()) return database_->Fail("scan", found->status());
  return page->entries.empty() ? Code::kEnd : Code::kOk;
}

Page LevelDbStore::ScanHere(const Range& range, const Call& call) noexcept try {
  Page page;
  Status status =
      database_->Read("scan", [&](leveldb::DB& db) { return FillPage(db, range, call, &page); });
  if (status.failed()) return status;
  page.status = std::move(status);
  return page;
} catch (const std::bad_alloc&) {
  return OutOfMemory("scan");
}

// ---- Ending ----

Status LevelDbStore::FlushHere(Bytes, const Call&) noexcept {
  return shape_.cache ? database_->SyncAll("flush") : Status();
}

Status LevelDbStore::CloseHere(const Call&) noexcept {
  database_->Close();
  return directory_->Close([this] { return database_->SyncAll("close"); });
}

}  // namespace

Result<Ref<Store>> NewLevelDbStore(std::string_view directory, const Options* options) {
  return NewLevelDbStore(directory, options, leveldb::Env::Default());
}

Result<Ref<Store>> NewLevelDbStore(std::string_view directory, const Options* options,
                                   leveldb::Env* env) {
  const std::string name = "leveldb:" + std::string(directory);
  const auto values = OptionValues::Parse(name, kLevelDbOptions, options);
  if (!values.ok()) return values.status();
  DatabaseSettings settings;
  if (Status status = ReadEngineOptions(name, *values, &settings); !status.ok()) return status;
  LevelDbStore::Shape shape;
  shape.cache = values->Text("durability") == "cache";
  shape.raw = values->Text("format") == "raw";
  shape.verify = values->Text("verify") == "on";

  OwnedDirectory::Request request;
  request.path = directory;
  request.store = name;
  request.engine = "leveldb";
  request.cache = shape.cache;
  auto owned = OwnedDirectory::Open(request);
  if (!owned.ok()) return owned.status();

  Ref<Runtime> runtime = RuntimeFor(options);
  settings.store = name;
  settings.directory = (*owned)->path();
  settings.scratch = (*owned)->StatePath("probe");
  settings.env = env;
  auto database = Database::Open(std::move(settings), runtime.get());
  if (!database.ok()) return database.status();
  if (Status status = CheckFormat(name, **owned, database->get(), shape.raw); !status.ok()) {
    return status;
  }
  const bool emptied = (*owned)->emptied();
  const Status loss = emptied ? (*owned)->EmptiedStatus() : Status();
  auto store = MakeRef<LevelDbStore>(name, std::move(runtime), std::move(*owned),
                                     std::move(*database), shape);
  store->SetRecipe({"leveldb", {{"directory", store->directory()}}, kLevelDbOptions, options});
  if (emptied) store->Report(loss);
  return Ref<Store>(std::move(store));
}

}  // namespace chainstore
