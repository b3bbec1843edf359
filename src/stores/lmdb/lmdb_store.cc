#include "stores/lmdb/lmdb_store.h"

#include <sys/stat.h>

#include <cstring>
#include <filesystem>
#include <new>

#include "stores/lmdb/bucket.h"
#include "stores/lmdb/bucket_write.h"
#include "stores/lmdb/lmdb_error.h"
#include "stores/lmdb/page_reader.h"
#include "stores/lmdb/stored_key.h"
#include "stores/owned_directory.h"

namespace chainstore {
namespace lmdb {
namespace {

const char* OperationOf(const Read& read) {
  switch (read.what) {
    case Read::What::kWhole:
      return "get";
    case Read::What::kRange:
      return "get_range";
    case Read::What::kStat:
      return "stat";
  }
  return "get";
}

class LmdbStore final : public BlockingStore {
 public:
  struct Shape {
    bool cache = false;
    bool raw = false;
    bool verify = true;
    bool unnamed = false;
  };
  LmdbStore(std::string name, Ref<Runtime> runtime, std::unique_ptr<OwnedDirectory> directory,
            Ref<Environment> environment, MDB_dbi dbi, const Shape& shape)
      : BlockingStore(std::move(name), std::move(runtime)),
        shape_(shape),
        directory_(std::move(directory)) {
    bucket_.env = std::move(environment);
    bucket_.clock = &this->runtime().clock();
    bucket_.dbi = dbi;
    bucket_.raw = shape.raw;
    bucket_.verify = shape.verify;
    bucket_.unnamed = shape.unnamed;
    directory_->SetOwner(this);
  }

  uint32_t caps() const noexcept override {
    return kCapOrdered | kCapAtomicBatch | kCapScan | kCapRange | (shape_.raw ? 0u : kCapTtl) |
           (shape_.cache ? 0u : kCapDurable);
  }
  Limits limits() const noexcept override {
    return {bucket_.max_key_size(), bucket_.max_value_size(), !shape_.raw};
  }
  // Of an LMDB file its own folder, PATH.chainstore: what others keep goes to `.chainstore` in it.
  std::string directory() const override {
    return directory_->path() + (directory_->is_file() ? OwnedDirectory::kReserved : "");
  }
  uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept override {
    return bucket_.EntryCost(key_size, value_size);
  }
  bool UsedBytes(uint64_t* bytes) const noexcept override;

  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;

  uint64_t commits() const noexcept { return bucket_.env->commits(); }

 protected:
  Answer GetHere(const Key& key, const Read& read, const Call& call) noexcept override;
  Entries GetManyHere(const Keys& keys, const Call& call) noexcept override;
  Page ScanHere(const Range& range, const Call& call) noexcept override;
  Status FlushHere(Bytes prefix, const Call& call) noexcept override;
  Status CloseHere(const Call& call) noexcept override;
  // Writes come by the queue, which needs no slots.
  Receipt PutHere(const Key& key, const Payload& payload, const Call& call) noexcept override;
  Receipt DelHere(const Key& key, const Call& call) noexcept override;

 private:
  struct LaterSingle;
  struct LaterBatch;

  Status Failed(const char* operation, int rc, const char* what) const {
    return FailureOf(rc, what).Store(name()).Op(operation).Path(bucket_.env->path());
  }
  Status ForkedStatus(const char* operation) const {
    return Fail(Code::kForked, operation, "opened by the parent of this process");
  }
  Status OutOfMemory(const char* operation) const {
    return Fail(Code::kNoMemory, operation, "out of memory");
  }
  Status DamagedStatus(const char* operation, Bytes key, const std::string& why) const {
    return Fail(Code::kCorrupt, operation, "a stored entry is damaged: " + why)
        .KeyIs(key)
        .Path(bucket_.env->path());
  }
  Status CheckOp(const char* operation, const WriteOp& op) const;
  void StartSingle(const char* operation, const Key& key, const Payload* payload, const Call& call,
                   Done<Receipt> done) noexcept;
  Status OutcomeOf(const char* operation, const lmdb::Write& write) const;
  Receipt ReceiptOf(const char* operation, const SingleWrite& write) const;
  // `refused`: why none of it was tried; OK: it was.
  Entries EntriesOf(const BatchWrite& write, const Status& refused) const;
  Answer ReadIn(MDB_txn* txn, Bytes key, const Read& read) const;

  const Shape shape_;
  const std::unique_ptr<OwnedDirectory> directory_;
  mutable Bucket bucket_;
};

// ---- Reading ----

Answer LmdbStore::ReadIn(MDB_txn* txn, Bytes key, const Read& read) const {
  if (key.empty() || key.size() > bucket_.max_key_size()) return Code::kNotFound;
  StoredKey stored_key(key, shape_.raw);
  MDB_val stored;
  const int rc = mdb_get(txn, bucket_.dbi, stored_key.val(), &stored);
  if (rc == MDB_NOTFOUND) return Code::kNotFound;
  const char* operation = OperationOf(read);
  if (rc != 0) return Answer(Failed(operation, rc, "cannot read"));
  RecordView view;
  std::string why;
  const bool whole =
      read.what == Read::What::kWhole ||
      (read.what == Read::What::kRange && read.offset == 0 && read.length >= stored.mv_size);
  if (!bucket_.Decode(stored, key, whole, &view, &why)) {
    return Answer(DamagedStatus(operation, key, why));
  }
  if (bucket_.IsExpired(view.meta) || bucket_.IsDatabase(*stored_key.val(), stored)) {
    return Code::kNotFound;
  }
  Answer answer;
  answer.meta = view.meta;
  const size_t total = view.value.size();
  if (read.what == Read::What::kWhole) {
    answer.value = Value::Copy(view.value);
  } else if (read.what == Read::What::kRange) {
    answer.value = Value::Copy(view.value.substr(read.Offset(total), read.Length(total)));
  }
  return answer;
}

Answer LmdbStore::GetHere(const Key& key, const Read& read, const Call&) noexcept try {
  if (runtime().IsForked()) return Answer(ForkedStatus(OperationOf(read)));
  ReaderPool::Lease lease;
  const int rc = bucket_.env->Read(&lease);
  if (rc != 0) return Answer(Failed(OperationOf(read), rc, "cannot begin to read"));
  return ReadIn(lease.txn(), key.bytes, read);
} catch (const std::bad_alloc&) {
  return Answer(OutOfMemory(OperationOf(read)));
}

// In one transaction: what it finds is one view of the store.
Entries LmdbStore::GetManyHere(const Keys& keys, const Call& call) noexcept try {
  if (runtime().IsForked()) return Entries(ForkedStatus("get_many"));
  ReaderPool::Lease lease;
  const int rc = bucket_.env->Read(&lease);
  if (rc != 0) return Entries(Failed("get_many", rc, "cannot begin to read"));
  Entries out;
  out.entries.resize(keys.size());
  for (size_t at = 0; at < keys.size(); ++at) {
    const Code ended = call.Check();
    Answer answer = ended == Code::kOk ? ReadIn(lease.txn(), keys[at].bytes(), Read::Whole())
                                       : Answer(EndedStatus(ended, "get_many"));
    Entry& entry = out.entries[at];
    entry.key = keys[at].bytes();
    entry.status = std::move(answer.status);
    entry.meta = answer.meta;
    entry.value = std::move(answer.value);
  }
  lease.Release();
  out.Summarise(name(), "get_many");
  return out;
} catch (const std::bad_alloc&) {
  return Entries(OutOfMemory("get_many"));
}

Page LmdbStore::ScanHere(const Range& range, const Call& call) noexcept try {
  if (runtime().IsForked()) return Page(ForkedStatus("scan"));
  ReaderPool::Lease lease;
  int rc = bucket_.env->Read(&lease);
  if (rc != 0) return Page(Failed("scan", rc, "cannot begin to read"));
  Page page;
  PageReader reader(bucket_, lease.txn(), range, call);
  rc = reader.Read(&page);
  if (reader.ended() != Code::kOk) return Page(EndedStatus(reader.ended(), "scan"));
  if (rc != 0 && !reader.why().empty()) return Page(DamagedStatus("scan", "", reader.why()));
  if (rc != 0) return Page(Failed("scan", rc, "cannot read"));
  for (const auto& [at, why] : reader.damaged()) {
    page.entries[at].status = DamagedStatus("scan", page.entries[at].key, why);
  }
  page.status = page.entries.empty() ? Code::kEnd : Code::kOk;
  return page;
} catch (const std::bad_alloc&) {
  return Page(OutOfMemory("scan"));
}

bool LmdbStore::UsedBytes(uint64_t* bytes) const noexcept {
  if (runtime().IsForked()) return false;
  const GatePass pass(const_cast<LmdbStore*>(this)->gate());
  ReaderPool::Lease lease;
  MDB_stat stat;
  if (!pass || bucket_.env->Read(&lease) != 0 || mdb_stat(lease.txn(), bucket_.dbi, &stat) != 0) {
    return false;
  }
  *bytes = (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) *
           uint64_t{stat.ms_psize};
  return true;
}

// ---- Writing ----

Status LmdbStore::CheckOp(const char* operation, const WriteOp& op) const {
  const Limits limits = this->limits();
  if (op.key.empty()) return Fail(Code::kInvalid, operation, "the key is empty");
  if (op.is_del) return Code::kOk;
  if (op.key.size() > limits.max_key_size) {
    return Fail(Code::kTooLarge, operation,
                "a key of " + std::to_string(op.key.size()) + " bytes; the most is " +
                    std::to_string(limits.max_key_size))
        .KeyIs(op.key);
  }
  if (op.value.size() > limits.max_value_size) {
    return Fail(Code::kTooLarge, operation,
                "a value of " + std::to_string(op.value.size()) + " bytes; the most is " +
                    std::to_string(limits.max_value_size))
        .KeyIs(op.key);
  }
  if (op.expires_at_ms == 0) return Code::kOk;
  if (shape_.raw) {
    return Fail(Code::kUnsupported, operation, "format=raw keeps no time to live")
        .KeyIs(op.key)
        .Hint("leave the ttl out, or use format=record");
  }
  if (op.expires_at_ms < 0 || op.expires_at_ms > kMaxExpiryMs) {
    return Fail(Code::kInvalid, operation, "the time to live is too long").KeyIs(op.key);
  }
  return Code::kOk;
}

Status LmdbStore::OutcomeOf(const char* operation, const lmdb::Write& write) const {
  if (write.ended == Code::kBusy) {
    return Fail(Code::kBusy, operation, "too many writes are queued")
        .Hint("wait for some of those that were started");
  }
  if (write.ended != Code::kOk) return EndedStatus(write.ended, operation);
  if (write.rc == 0) return Code::kOk;
  if (write.rc == MDB_INCOMPATIBLE) {
    return Fail(Code::kInvalid, operation, "the key is the name of a database in this file")
        .Path(bucket_.env->path());
  }
  return Failed(operation, write.rc, "cannot write");
}

Receipt LmdbStore::ReceiptOf(const char* operation, const SingleWrite& write) const {
  Receipt receipt(OutcomeOf(operation, write));
  if (!receipt.status.ok()) return receipt;
  if (write.op().exists)
    receipt.status = Code::kExists;
  else
    receipt.meta = write.op().meta;
  return receipt;
}

Entries LmdbStore::EntriesOf(const BatchWrite& write, const Status& refused) const {
  Entries out;
  const Status status = refused.ok() ? OutcomeOf("write", write) : refused;
  out.entries.resize(write.ops().size());
  for (size_t at = 0; at < out.entries.size(); ++at) {
    const WriteOp& op = write.ops()[at];
    Entry& entry = out.entries[at];
    entry.status = status.ok() && op.exists ? Status(Code::kExists) : status;
    if (entry.status.ok()) entry.meta = op.meta;
  }
  out.Summarise(name(), "write");
  if (out.entries.empty()) out.status = status;
  return out;
}

// What a kLater write holds until it is answered. It leaves the gate last of all.
struct LmdbStore::LaterSingle final : SingleWrite {
  LaterSingle(LmdbStore* store, GatePass pass, const char* operation, OwnedKey key,
              Ref<Value> value, const WriteOp& op, const Call& call, Done<Receipt> done)
      : SingleWrite(&store->bucket_, op, call),
        store_(store),
        pass_(std::move(pass)),
        operation_(operation),
        key_(std::move(key)),
        value_(std::move(value)),
        done_(std::move(done)) {
    op_.key = key_.bytes();
    if (value_) op_.value = value_->bytes();
  }
  void Complete() noexcept override { done_(store_->ReceiptOf(operation_, *this)); }

 private:
  const Ref<LmdbStore> store_;
  const GatePass pass_;
  const char* const operation_;
  const OwnedKey key_;
  const Ref<Value> value_;
  Done<Receipt> done_;
};

struct LmdbStore::LaterBatch final : BatchWrite {
  LaterBatch(LmdbStore* store, GatePass pass, Ref<const Batch> batch, const Call& call,
             Done<Entries> done)
      : BatchWrite(&store->bucket_, std::move(batch), call),
        store_(store),
        pass_(std::move(pass)),
        done_(std::move(done)) {}
  void Complete() noexcept override { done_(store_->EntriesOf(*this, refused)); }

  Status refused;

 private:
  const Ref<LmdbStore> store_;
  const GatePass pass_;
  Done<Entries> done_;
};

void LmdbStore::StartSingle(const char* operation, const Key& key, const Payload* payload,
                            const Call& call, Done<Receipt> done) noexcept {
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  if (runtime().IsForked()) return done(Receipt(ForkedStatus(operation)));
  GatePass pass(gate());
  if (!pass) return done(Receipt(ClosedStatus(operation)));
  WriteOp op;
  op.key = key.bytes;
  op.is_del = payload == nullptr;
  if (payload) {
    op.value = payload->bytes();
    op.expires_at_ms = payload->expires_at_ms();
  }
  if (Status refused = CheckOp(operation, op); !refused.ok()) return done(Receipt(refused));
  if (call.wait == Wait::kHere) {
    SingleWrite write(&bucket_, op, call);
    bucket_.env->writes().RunHere(&write);
    return done(ReceiptOf(operation, write));
  }
  bucket_.env->writes().Start(std::make_unique<LaterSingle>(
      this, std::move(pass), operation, OwnedKey(key), payload ? payload->Share() : nullptr, op,
      call, std::move(done)));
}

void LmdbStore::Put(const Key& key, const Payload& payload, const Call& call,
                    Done<Receipt> done) noexcept {
  StartSingle("put", key, &payload, call, std::move(done));
}

void LmdbStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  StartSingle("del", key, nullptr, call, std::move(done));
}

void LmdbStore::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (call.wait == Wait::kNever) return done(Entries(Status(Code::kWouldBlock)));
  if (runtime().IsForked()) return done(Entries(ForkedStatus("write")));
  GatePass pass(gate());
  if (!pass) return done(Entries(ClosedStatus("write")));
  auto write =
      std::make_unique<LaterBatch>(this, std::move(pass), std::move(batch), call, std::move(done));
  for (const WriteOp& op : write->ops()) {
    Status refused = CheckOp("write", op);
    if (refused.ok()) continue;
    write->refused = std::move(refused);
    return write->Complete();
  }
  if (call.wait != Wait::kHere) return bucket_.env->writes().Start(std::move(write));
  bucket_.env->writes().RunHere(write.get());
  write->Complete();
}

Receipt LmdbStore::PutHere(const Key& key, const Payload& payload, const Call& call) noexcept {
  Receipt out;
  StartSingle("put", key, &payload, call.With(Wait::kHere),
              [&out](Receipt&& receipt) { out = std::move(receipt); });
  return out;
}

Receipt LmdbStore::DelHere(const Key& key, const Call& call) noexcept {
  Receipt out;
  StartSingle("del", key, nullptr, call.With(Wait::kHere),
              [&out](Receipt&& receipt) { out = std::move(receipt); });
  return out;
}

// ---- Flush and close ----

Status LmdbStore::FlushHere(Bytes, const Call&) noexcept {
  if (runtime().IsForked()) return ForkedStatus("flush");
  const int rc = SharpenWriteError(bucket_.env->Sync(), bucket_.env->path());
  return rc == 0 ? Status() : Failed("flush", rc, "cannot sync");
}

Status LmdbStore::CloseHere(const Call&) noexcept {
  const Ref<Environment>& env = bucket_.env;
  const Status status = directory_->Close([this, &env]() -> Status {
    const int rc = SharpenWriteError(env->Sync(), env->path());
    return rc == 0 ? Status() : Failed("close", rc, "cannot sync");
  });
  env->Close();
  return status;
}

// ---- Opening ----

// Which databases can be a bucket: what its program relies on must not be broken by our writes.
Status CheckFlags(unsigned flags, const std::string& store, const std::string& path) {
  if (flags == 0) return Code::kOk;
  const char* what = (flags & MDB_DUPSORT)      ? "has several values per key (MDB_DUPSORT)"
                     : (flags & MDB_INTEGERKEY) ? "has numbers as keys (MDB_INTEGERKEY)"
                                                : "has an order of its own";
  return Failure(Code::kUnsupported, std::string("this database ") + what)
      .Store(store)
      .Op("open")
      .Path(path);
}

// Of what is there: the store has just been opened.
std::string RealPath(std::string_view path) {
  std::error_code failed;
  std::filesystem::path real = std::filesystem::canonical(path, failed);
  return failed ? std::string(path) : real.string();
}

bool IsRegularFile(const std::string& path) {
  struct stat info;
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

struct OpenRequest {
  std::string store;
  const char* bucket = nullptr;  // null: the unnamed database
  OwnedDirectory::Request directory;
  uint64_t map_size = 0;
  LmdbStore::Shape shape;
  Ref<Runtime> runtime;
};

Result<Ref<Store>> OpenStore(const OpenRequest& request) {
  Environment::Settings settings;
  settings.path = request.directory.path;
  settings.is_file = IsRegularFile(settings.path);
  settings.cache = request.shape.cache;
  settings.map_size = request.map_size;
  settings.store = request.store;
  // Before anything is made beside a file that is none of ours.
  if (settings.is_file) {
    if (Status status = Environment::CheckDataFile(settings); !status.ok()) return status;
  }
  auto directory = OwnedDirectory::Open(request.directory);
  if (!directory.ok()) return directory.status();
  settings.path = (*directory)->path();
  settings.is_file = (*directory)->is_file();
  auto env = Environment::Open(settings, request.runtime);
  if (!env.ok()) return env.status();
  MDB_dbi dbi;
  unsigned flags = 0;
  const int rc = (*env)->OpenBucket(request.bucket, &dbi, &flags);
  Status status = rc != 0 ? Status(FailureOf(rc, "cannot open the bucket")
                                       .Store(request.store)
                                       .Op("open")
                                       .Path(settings.path))
                          : CheckFlags(flags, request.store, settings.path);
  if (!status.ok()) {
    (*env)->Close();
    return status;
  }
  const bool emptied = (*directory)->emptied();
  const Status emptied_status = emptied ? (*directory)->EmptiedStatus() : Status();
  auto store = MakeRef<LmdbStore>(request.store, request.runtime, std::move(*directory),
                                  std::move(*env), dbi, request.shape);
  if (emptied) store->Report(emptied_status);
  return Ref<Store>(std::move(store));
}

}  // namespace

uint64_t CommitsOf(const Store& store) { return static_cast<const LmdbStore&>(store).commits(); }

}  // namespace lmdb

Result<Ref<Store>> NewLmdbStore(std::string_view path, const char* bucket, const Options* options) {
  lmdb::OpenRequest request;
  request.store = "lmdb:" + std::string(path) + (bucket ? "?bucket=" + std::string(bucket) : "");
  auto values = OptionValues::Parse(request.store, kLmdbOptions, options);
  if (!values.ok()) return values.status();
  const auto refuse = [&request](std::string what) {
    return Failure(Code::kInvalid, std::move(what)).Store(request.store).Op("open");
  };
  request.shape.cache = values->Text("durability") == "cache";
  request.shape.raw = values->Text("format") == "raw";
  request.shape.verify = values->Text("verify") == "on";
  request.shape.unnamed = request.shape.raw && !bucket;
  request.bucket = bucket || request.shape.unnamed ? bucket : "chainstore";
  if (bucket && (*bucket == '\0' || strlen(bucket) > lmdb::kMaxPlainKeySize)) {
    return refuse("the bucket's name is empty, or longer than 511 bytes");
  }
  if (!values->IsDefault("map_size")) {
    request.map_size = values->Number("map_size");
    if (request.map_size < lmdb::Environment::kSmallestMap) {
      return refuse("option 'map_size' is less than 1MiB");
    }
  }
  request.runtime = RuntimeFor(options);
  request.directory.path = path;
  request.directory.store = request.store;
  request.directory.engine = "lmdb";
  // A part has a name; no bucket's name holds a NUL.
  request.directory.part = request.bucket ? request.bucket : std::string(1, '\0');
  request.directory.sharing = OwnedDirectory::Sharing::kOtherProcesses;
  request.directory.cache = request.shape.cache;
  request.directory.allow_file = true;
  auto store = lmdb::OpenStore(request);
  if (!store.ok()) return store;
  std::vector<Recipe::Value> arguments = {{"path", lmdb::RealPath(path)}};
  if (request.bucket) arguments.push_back({"bucket", request.bucket});
  (*store)->SetRecipe({"lmdb", std::move(arguments), kLmdbOptions, options});
  return store;
}

}  // namespace chainstore
