// Figure 13: LevelDB get, put and batch, against LevelDB used bare in a database of its own, with
// the engine's default options on both sides.
#include "figures.h"
#include "product.h"
#include "workload.h"

#ifdef BENCH_WITH_LEVELDB
#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <memory>

namespace bench {
namespace {

constexpr size_t kValueSize = 100;
constexpr size_t kBatch = 100;

void Check(const leveldb::Status& status) {
  if (!status.ok()) Die(status.ToString());
}

// Batches through the C ABI; null functions in a build that has none.
struct Batches {
  using New = void* (*)();
  using Put = cs_status (*)(void*, const void*, size_t, const void*, size_t);
  using Free = void (*)(void*);
  using Write = cs_status (*)(cs_store*, void*, const cs_call*, cs_result*);
  New make = Symbol<New>("cs_batch_new");
  Put put = Symbol<Put>("cs_batch_put");
  Free free = Symbol<Free>("cs_batch_free");
  Write write = Symbol<Write>("cs_write_sync");
  explicit operator bool() const { return make && put && free && write; }
};

struct Databases {
  Folder ours_at{"leveldb-ours"}, raw_at{"leveldb-raw"};
  Handle ours = OpenLevelDb(ours_at.path(), {{"durability", "cache"}});
  std::unique_ptr<leveldb::DB> raw;
  std::string value = std::string(kValueSize, 'v');

  Databases() {
    leveldb::Options options;
    options.create_if_missing = true;
    leveldb::DB* database = nullptr;
    Check(leveldb::DB::Open(options, raw_at.path(), &database));
    raw.reset(database);
  }
  // Both wholly in tables, on one level: what is left in a write buffer or in newer tables is
  // another structure, and how much of it there is differs from run to run.
  void Compact() {
    ours = Handle();
    leveldb::DB* database = nullptr;
    Check(leveldb::DB::Open({}, ours_at.path(), &database));
    database->CompactRange(nullptr, nullptr);
    delete database;
    ours = OpenLevelDb(ours_at.path(), {{"durability", "cache"}});
    raw->CompactRange(nullptr, nullptr);
  }
  void RawPut(std::string_view key) { Check(raw->Put({}, {key.data(), key.size()}, value)); }
};

void Gets(uint64_t keys) {
  Databases databases;
  if (!databases.ours) return NotInThisBuild("13", "LevelDB get");
  const KeyStream all = KeyStream::Shuffled(keys, 3);
  for (size_t at = 0; at < all.size(); ++at) {
    PutOrDie(databases.ours.get(), all.view(at), databases.value);
    databases.RawPut(all.view(at));
  }
  databases.Compact();
  const uint64_t gets = settings().quick ? 20'000 : 100'000;
  const KeyStream stream = KeyStream::Zipf(keys, gets, 1);
  Compare(
      "13", "LevelDB get V100", AtLeast(0.95, 0.98), "bare Get",
      [&] {
        return Timed(Time::kWall, 1, gets, [&](int) {
          for (size_t at = 0; at < gets; ++at) {
            GetHit(databases.ours.get(), stream.at(at), kKeySize);
          }
        });
      },
      [&] {
        return Timed(Time::kWall, 1, gets, [&](int) {
          std::string out;
          for (size_t at = 0; at < gets; ++at) {
            Check(databases.raw->Get({}, {stream.at(at), kKeySize}, &out));
            Keep(out[0]);
          }
        });
      });
}

void Puts(uint64_t puts) {
  Databases databases;
  if (!databases.ours) return NotInThisBuild("13", "LevelDB put");
  const KeyStream stream = KeyStream::Shuffled(1'000'000, 3);
  size_t ours_at = 0, raw_at = 0;
  Compare(
      "13", "LevelDB put V100", AtLeast(0.95, 0.98), "bare Put",
      [&] {
        return Timed(Time::kWall, 1, puts, [&](int) {
          for (size_t at = 0; at < puts; ++at) {
            PutOrDie(databases.ours.get(), stream.view(ours_at++ % stream.size()), databases.value);
          }
        });
      },
      [&] {
        return Timed(Time::kWall, 1, puts, [&](int) {
          for (size_t at = 0; at < puts; ++at) {
            databases.RawPut(stream.view(raw_at++ % stream.size()));
          }
        });
      });
}

void BatchPuts(uint64_t puts) {
  const Batches batches;
  Databases databases;
  if (!databases.ours || !batches) return NotInThisBuild("13", "LevelDB batch");
  const KeyStream stream = KeyStream::Shuffled(1'000'000, 3);
  size_t ours_at = 0, raw_at = 0;
  Compare(
      "13", "LevelDB batch of 100, V100", AtLeast(0.95, 0.98), "bare Write",
      [&] {
        return Timed(Time::kWall, 1, puts, [&](int) {
          void* batch = batches.make();
          for (size_t at = 0; at < puts; ++at) {
            batches.put(batch, stream.at(ours_at++ % stream.size()), kKeySize,
                        databases.value.data(), databases.value.size());
            if ((at + 1) % kBatch == 0 &&
                batches.write(databases.ours.get(), batch, nullptr, nullptr) != CS_OK) {
              Die("a batch failed");
            }
          }
          batches.free(batch);
        });
      },
      [&] {
        return Timed(Time::kWall, 1, puts, [&](int) {
          leveldb::WriteBatch batch;
          for (size_t at = 0; at < puts; ++at) {
            batch.Put({stream.at(raw_at++ % stream.size()), kKeySize}, databases.value);
            if ((at + 1) % kBatch != 0) continue;
            Check(databases.raw->Write({}, &batch));
            batch.Clear();
          }
        });
      });
}

}  // namespace

void LevelDbFigures() {
  if (!Wanted(13)) return;
  Gets(settings().quick ? 50'000 : 200'000);
  Puts(settings().quick ? 10'000 : 50'000);
  BatchPuts(settings().quick ? 10'000 : 50'000);
}

}  // namespace bench

#else

namespace bench {
void LevelDbFigures() {
  if (Wanted(13)) NotInThisBuild("13", "LevelDB");
}
}  // namespace bench

#endif
