// SingleWrite and BatchWrite: what a bucket's put, del and write become in the queue.
// Thread safety: as Write. They borrow their keys and values: who makes one keeps those alive.
#pragma once

#include <vector>

#include "core/request.h"
#include "stores/lmdb/bucket.h"
#include "stores/lmdb/write_queue.h"

namespace chainstore::lmdb {

// One put or del.
struct WriteOp {
  Bytes key;
  bool is_del = false;
  Bytes value;
  int64_t expires_at_ms = 0;
  // Set when it was applied.
  bool exists = false;  // if_absent found a live entry: nothing was written
  Meta meta;
};

class SingleWrite : public Write {
 public:
  SingleWrite(Bucket* bucket, const WriteOp& op, const Call& call)
      : Write(call, bucket->dbi, op.key.size() + op.value.size()), bucket_(bucket), op_(op) {}

  int Apply(MDB_txn* txn, MapSpace* space) noexcept override;
  const WriteOp& op() const noexcept { return op_; }

 protected:
  Bucket* const bucket_;
  WriteOp op_;
};

// All or nothing; ops that if_absent passes by count as done.
class BatchWrite : public Write {
 public:
  BatchWrite(Bucket* bucket, Ref<const Batch> batch, const Call& call);

  int Apply(MDB_txn* txn, MapSpace* space) noexcept override;
  const Batch& batch() const noexcept { return *batch_; }
  const std::vector<WriteOp>& ops() const noexcept { return ops_; }

 protected:
  Bucket* const bucket_;

 private:
  const Ref<const Batch> batch_;
  std::vector<WriteOp> ops_;
};

}  // namespace chainstore::lmdb
