#include "stores/lmdb/bucket_write.h"

#include <cstring>

#include "stores/lmdb/stored_key.h"

namespace chainstore::lmdb {
namespace {

uint64_t BytesOf(const Batch& batch) {
  uint64_t bytes = 0;
  for (const Batch::Op& op : batch.ops) {
    bytes += op.key.bytes().size() + (op.value ? op.value->size() : 0);
  }
  return bytes;
}

// 0: *live tells. Otherwise LMDB's code.
int FindLive(const Bucket& bucket, MDB_txn* txn, Bytes key, MDB_val* stored_key, bool* live) {
  MDB_val stored;
  *live = false;
  const int rc = mdb_get(txn, bucket.dbi, stored_key, &stored);
  if (rc != 0) return rc == MDB_NOTFOUND ? 0 : rc;
  RecordView view;
  std::string why;
  // Whether a damaged entry is live cannot be told, and an absent one it is not.
  if (!bucket.Decode(stored, key, false, &view, &why)) return MDB_CORRUPTED;
  *live = !bucket.IsExpired(view.meta);
  return 0;
}

int ApplyPut(Bucket* bucket, MDB_txn* txn, MDB_val* stored_key, bool keep_key, WriteOp* op) {
  if (bucket->raw) {
    MDB_val stored = {op->value.size(), const_cast<char*>(op->value.data())};
    op->meta.total_size = op->value.size();
    return mdb_put(txn, bucket->dbi, stored_key, &stored, 0);
  }
  op->meta = {op->value.size(), op->expires_at_ms, bucket->NextVersion()};
  const size_t header = RecordHeaderSize(op->key, keep_key);
  MDB_val stored = {header + op->value.size(), nullptr};
  // Reserved, so that header and value are copied once, to where they belong.
  const int rc = mdb_put(txn, bucket->dbi, stored_key, &stored, MDB_RESERVE);
  if (rc != 0) return rc;
  char* out = static_cast<char*>(stored.mv_data);
  EncodeRecordHeader(op->key, op->value, op->meta, keep_key, out);
  if (!op->value.empty()) memcpy(out + header, op->value.data(), op->value.size());
  return 0;
}

int ApplyOp(Bucket* bucket, MDB_txn* txn, bool if_absent, WriteOp* op) {
  op->exists = false;
  op->meta = Meta();
  if (op->key.size() > bucket->max_key_size()) return 0;  // a del: it cannot be there
  StoredKey stored_key(op->key, bucket->raw);
  if (op->is_del) {
    const int rc = mdb_del(txn, bucket->dbi, stored_key.val(), nullptr);
    return rc == MDB_NOTFOUND ? 0 : rc;
  }
  if (if_absent) {
    const int rc = FindLive(*bucket, txn, op->key, stored_key.val(), &op->exists);
    if (rc != 0 || op->exists) return rc;
  }
  return ApplyPut(bucket, txn, stored_key.val(), stored_key.is_digest(), op);
}

uint64_t CostOf(const Bucket& bucket, const WriteOp& op) {
  return op.is_del ? 0 : bucket.EntryCost(op.key.size(), op.value.size());
}

}  // namespace

int SingleWrite::Apply(MDB_txn* txn, MapSpace* space) noexcept {
  if (!op_.is_del && !space->Take(CostOf(*bucket_, op_))) {
    rc = MDB_MAP_FULL;
    return 0;
  }
  return ApplyOp(bucket_, txn, call().Has(Call::kIfAbsent), &op_);
}

BatchWrite::BatchWrite(Bucket* bucket, Ref<const Batch> batch, const Call& call)
    : Write(call, bucket->dbi, BytesOf(*batch)), bucket_(bucket), batch_(std::move(batch)) {
  ops_.reserve(batch_->ops.size());
  for (const Batch::Op& op : batch_->ops) {
    WriteOp out;
    out.key = op.key.bytes();
    out.is_del = !op.value;
    if (op.value) out.value = op.value->bytes();
    out.expires_at_ms = op.expires_at_ms;
    ops_.push_back(out);
  }
}

int BatchWrite::Apply(MDB_txn* txn, MapSpace* space) noexcept {
  uint64_t cost = 0;
  for (const WriteOp& op : ops_) cost += CostOf(*bucket_, op);
  if (cost > 0 && !space->Take(cost)) {
    rc = MDB_MAP_FULL;
    return 0;
  }
  for (WriteOp& op : ops_) {
    const int failed = ApplyOp(bucket_, txn, call().Has(Call::kIfAbsent), &op);
    if (failed != 0) return failed;
  }
  return 0;
}

}  // namespace chainstore::lmdb
