// Figures 10 (LMDB get), 11 (put with durability=cache), 12 (put with durability=full), each
// against LMDB used bare in a database of its own.
#include "figures.h"
#include "product.h"
#include "workload.h"

#ifdef BENCH_WITH_LMDB
#include <lmdb.h>

namespace bench {
namespace {

constexpr size_t kValueSize = 1024;
constexpr size_t kBatch = 100;
constexpr uint32_t kInFlight = 64;

void Check(int code, const char* what) {
  if (code != 0) Die(std::string(what) + ": " + mdb_strerror(code));
}

class RawLmdb {
 public:
  RawLmdb(const std::string& path, unsigned flags) {
    Check(mdb_env_create(&env_), "mdb_env_create");
    Check(mdb_env_set_mapsize(env_, size_t{16} << 30), "mdb_env_set_mapsize");
    Check(mdb_env_open(env_, path.c_str(), flags | MDB_NOTLS, 0600), "mdb_env_open");
    Write([this](MDB_txn* transaction) {
      Check(mdb_dbi_open(transaction, nullptr, 0, &database_), "mdb_dbi_open");
    });
  }
  ~RawLmdb() { mdb_env_close(env_); }

  template <class Body>
  void Write(const Body& body) {
    MDB_txn* transaction;
    Check(mdb_txn_begin(env_, nullptr, 0, &transaction), "mdb_txn_begin");
    body(transaction);
    Check(mdb_txn_commit(transaction), "mdb_txn_commit");
  }
  void Put(MDB_txn* transaction, std::string_view key, std::string_view value) {
    MDB_val at{key.size(), const_cast<char*>(key.data())};
    MDB_val bytes{value.size(), const_cast<char*>(value.data())};
    Check(mdb_put(transaction, database_, &at, &bytes, 0), "mdb_put");
  }
  MDB_txn* BeginRead() {
    MDB_txn* transaction;
    Check(mdb_txn_begin(env_, nullptr, MDB_RDONLY, &transaction), "mdb_txn_begin");
    return transaction;
  }
  void Get(MDB_txn* transaction, const char* key) {
    MDB_val at{kKeySize, const_cast<char*>(key)};
    MDB_val bytes;
    Check(mdb_get(transaction, database_, &at, &bytes), "mdb_get");
    Keep(*static_cast<const char*>(bytes.mv_data));
  }

 private:
  MDB_env* env_ = nullptr;
  MDB_dbi database_ = 0;
};

// So many puts through a queue with 64 under way at any time; nanoseconds a put.
double PutInFlight(cs_store* store, const KeyStream& keys, size_t from, size_t count,
                   const std::string& value) {
  cs_error* error = nullptr;
  cs_queue* queue = cs_queue_new(kInFlight, &error);
  if (!queue) Die(cs_error_message(error));
  cs_call call = CS_CALL_INIT;
  call.queue = queue;
  cs_result results[kInFlight];
  const double took = Timed(Time::kWall, 1, count, [&](int) {
    size_t started = 0, under_way = 0;
    while (started < count || under_way > 0) {
      for (; started < count && under_way < kInFlight; ++started, ++under_way) {
        if (cs_put(store, keys.at((from + started) % keys.size()), kKeySize, value.data(),
                   value.size(), &call, nullptr, nullptr) != CS_OK) {
          Die("a put was refused");
        }
      }
      size_t taken = 0;
      cs_queue_take(queue, results, kInFlight, CS_FOREVER, &taken);
      for (size_t at = 0; at < taken; ++at) {
        if (results[at].status != CS_OK) Die("a put failed");
        cs_result_release(&results[at]);
      }
      under_way -= taken;
    }
  });
  cs_queue_unref(queue);
  return took;
}

void Figure10Of(uint64_t keys, const char* what, const Goal& goal) {
  const uint64_t gets = settings().quick ? 100'000 : 500'000;
  const Folder ours_at("lmdb-ours"), raw_at("lmdb-raw");
  Handle ours = OpenLmdb(ours_at.path(), {{"durability", "cache"}});
  if (!ours) return NotInThisBuild("10", what);
  RawLmdb raw(raw_at.path(), MDB_NOSYNC);
  const std::string value(kValueSize, 'v');
  const KeyStream all = KeyStream::Shuffled(keys, 3);
  PutInFlight(ours.get(), all, 0, all.size(), value);
  for (size_t from = 0; from < all.size(); from += 1000) {
    raw.Write([&](MDB_txn* transaction) {
      for (size_t at = from; at < std::min(all.size(), from + 1000); ++at) {
        raw.Put(transaction, all.view(at), value);
      }
    });
  }
  for (const int threads : {1, 2}) {
    if (threads == 2 && keys == 1000) continue;
    std::vector<KeyStream> streams;
    for (int thread = 0; thread < threads; ++thread) {
      streams.push_back(KeyStream::Zipf(keys, gets, 1 + static_cast<uint64_t>(thread)));
    }
    Compare(
        "10", std::string(what) + " T" + std::to_string(threads), goal, "mdb_get",
        [&] {
          return Timed(Time::kWall, threads, gets, [&](int thread) {
            const KeyStream& stream = streams[static_cast<size_t>(thread)];
            for (size_t at = 0; at < gets; ++at) GetHit(ours.get(), stream.at(at), kKeySize);
          });
        },
        [&] {
          return Timed(Time::kWall, threads, gets, [&](int thread) {
            const KeyStream& stream = streams[static_cast<size_t>(thread)];
            MDB_txn* transaction = raw.BeginRead();
            for (size_t at = 0; at < gets; ++at) raw.Get(transaction, stream.at(at));
            mdb_txn_abort(transaction);
          });
        });
  }
}

// `batch` is how many puts share one of the bare transactions.
void PutFigure(const char* figure, const char* what, const char* durability, unsigned raw_flags,
               size_t batch, size_t our_puts, size_t raw_puts, const Goal& goal,
               const char* reference) {
  const Folder ours_at("lmdb-ours"), raw_at("lmdb-raw");
  Handle ours = OpenLmdb(ours_at.path(), {{"durability", durability}});
  if (!ours) return NotInThisBuild(figure, what);
  RawLmdb raw(raw_at.path(), raw_flags);
  const std::string value(kValueSize, 'v');
  const KeyStream keys = KeyStream::Shuffled(100'000, 3);
  size_t our_from = 0, raw_from = 0;
  Compare(
      figure, what, goal, reference,
      [&] {
        our_from += our_puts;
        return PutInFlight(ours.get(), keys, our_from, our_puts, value);
      },
      [&] {
        return Timed(Time::kWall, 1, raw_puts, [&](int) {
          for (size_t at = 0; at < raw_puts; at += batch) {
            raw.Write([&](MDB_txn* transaction) {
              for (size_t in = 0; in < batch; ++in) {
                raw.Put(transaction, keys.view(raw_from++ % keys.size()), value);
              }
            });
          }
        });
      });
}

}  // namespace

void LmdbFigures() {
  const size_t scale = settings().quick ? 4 : 1;
  if (Wanted(10)) {
    Figure10Of(1000, "LMDB get V1k, 1,000 keys", AtLeast(0.75, 0.85));
    Figure10Of(settings().quick ? 50'000 : 1'000'000, "LMDB get V1k, 1M keys", AtLeast(0.90, 0.95));
  }
  if (Wanted(11)) {
    PutFigure("11", "LMDB put durability=cache, 64 callers", "cache", MDB_NOSYNC, kBatch,
              20'000 / scale, 20'000 / scale, AtLeast(0.85, 0.95), "NOSYNC, batches of 100");
  }
  if (Wanted(12)) {
    PutFigure("12", "LMDB put durability=full, 64 callers", "full", 0, 1, 4'000 / scale,
              400 / scale, AtLeast(4, 6), "a synced commit each");
  }
}

}  // namespace bench

#else

namespace bench {
void LmdbFigures() {
  for (const int figure : {10, 11, 12}) {
    if (Wanted(figure)) NotInThisBuild(std::to_string(figure).c_str(), "LMDB");
  }
}
}  // namespace bench

#endif
