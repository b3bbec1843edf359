// LevelDbStore: a directory that is a LevelDB database. With format=record a value stands behind
// the header of stores/record.h; with format=raw it is the plain value of other programs'
// databases, without expiry, version and checksum of ours.
//
// What it promises beside the contract of Store: a batch is atomic; a scan's page is a consistent
// view, and nothing is held between pages; after a failed write no other is acknowledged before the
// database was closed and opened again (see Database).
// Space is counted in logical bytes (keys, values, 64 bytes each): LevelDB tells no size per entry,
// and what the files take depends on when it compacts.
// A key that is damaged on disk is found by a scan and missed by a get: LevelDB checks its blocks
// only with format=raw, where that is the only checksum there is (it costs several times the get).
// Thread safety: as Store.
#pragma once

#include <leveldb/env.h>

#include <memory>
#include <string_view>

#include "base/result.h"
#include "core/blocking_store.h"
#include "stores/leveldb/leveldb_options.h"

namespace chainstore {

// LevelDB keeps sizes in 32 bits and holds several copies of a value while it is written.
inline constexpr uint64_t kMaxLevelDbValueBytes = uint64_t{1} << 30;

// Makes the directory if it is not there. Failures: kInvalid (options, a file, another durability
// or format), kBusy (open elsewhere), kCorrupt, kDenied, kNoSpace, kUnsupported (no Snappy), kIo.
Result<Ref<Store>> NewLevelDbStore(std::string_view directory, const Options* options);

// With the file system as `env` shows it; for tests of failing disks.
Result<Ref<Store>> NewLevelDbStore(std::string_view directory, const Options* options,
                                   leveldb::Env* env);

}  // namespace chainstore
