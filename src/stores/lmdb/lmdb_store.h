// LmdbStore: one bucket (named database) of an LMDB file.
//
// What is where. PATH is a directory (made if it is not there), or an existing LMDB file, whose
// marks go to PATH.chainstore/. Stores of several buckets of one file share what is open; the same
// bucket cannot be opened twice in a process; other processes may use the file at the same time,
// also through another bucket. With format=record a value stands behind the header of
// stores/record.h; with format=raw it is the plain value of another program's database (by default
// the unnamed one), without expiry, version and checksum of ours.
//
// What it promises beside the contract of Store: a batch is atomic; concurrent writers share a
// commit (write_queue.h); an acknowledged write was committed, and with durability=full synced; a
// page of a scan is a consistent view, and nothing is held between pages. Of a range only its part
// is copied, and its checksum is not verified unless the part is the whole.
//
// Values are copied out of the map. A pointer into the map would be free of charge, but it holds a
// read transaction, and that keeps every page that is freed meanwhile from being used again: the
// file would grow for as long as the caller likes. It cannot be bounded either, as the bytes cannot
// be moved away under a pointer that the caller has. So kCapZeroCopy is not claimed, and every
// value is CS_CALL_OWNED.
//
// Full. Puts answer kNoSpace while the map (option map_size) or the disk is full; the map keeps
// room for deletes (map_space.h). UsedBytes are the pages of the bucket. An LRU around it needs
// 64 MiB, or an eighth of map_size if that is less, between its ceiling and the map's end.
// Deadlines are looked at before a queued write is taken into a transaction; a writer of another
// process is waited for beyond them.
// Thread safety: as Store.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "core/blocking_store.h"
#include "core/option.h"
#include "stores/record_options.h"

namespace chainstore {

inline constexpr OptionSpec kLmdbOptions[] = {
    kRecordDurability,
    kRecordFormat,
    kRecordVerify,
    {"map_size", OptionSpec::Type::kSize, "1TiB",
     "the most that the file may grow to, at least 1MiB; unless given, less where the system "
     "refuses a terabyte of address space",
     "", true},
};

// Failures: kInvalid (options, bucket, a path that cannot be one, another durability), kBusy (open
// already), kCorrupt, kDenied, kNoSpace, kUnsupported (a database with duplicates or number keys),
// kNoMemory (address space), kIo.
Result<Ref<Store>> NewLmdbStore(std::string_view path, const char* bucket, const Options* options);

namespace lmdb {

// For tests: how many transactions this process has committed to the file of `store`, which must be
// one of NewLmdbStore.
uint64_t CommitsOf(const Store& store);

}  // namespace lmdb
}  // namespace chainstore
