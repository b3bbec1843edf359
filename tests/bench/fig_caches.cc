// Figures 2 (what an LRU and metrics cost on a hit), 3 (a hit with eviction on, against other
// libraries' caches), 6 (a put that evicts).
#include "figures.h"
#include "product.h"
#include "workload.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <array>
#include <memory>

#ifdef BENCH_WITH_TBB
#include <tbb/concurrent_hash_map.h>
#endif
#ifdef BENCH_WITH_LEVELDB
#include <leveldb/cache.h>
#endif
#ifdef BENCH_WITH_ROCKSDB
#include <rocksdb/cache.h>
#endif

namespace bench {
namespace {

constexpr uint64_t kManyKeys = 1'000'000;
constexpr size_t kValueSize = 100;
// Room for every key with its overhead, whoever counts it: eviction is on, but a get always hits.
constexpr uint64_t kRoomy = uint64_t{1} << 30;

uint64_t Gets() { return settings().quick ? 200'000 : 1'000'000; }

std::vector<KeyStream> Streams(uint64_t keys, int threads) {
  std::vector<KeyStream> streams;
  for (int thread = 0; thread < threads; ++thread) {
    streams.push_back(KeyStream::Zipf(keys, Gets(), 1 + static_cast<uint64_t>(thread)));
  }
  return streams;
}

template <class Get>
Side GetSide(const std::vector<KeyStream>& streams, Get get) {
  return [&streams, get] {
    return Timed(Time::kProcessor, static_cast<int>(streams.size()), Gets(), [&](int thread) {
      const KeyStream& stream = streams[static_cast<size_t>(thread)];
      for (size_t at = 0; at < stream.size(); ++at) get(stream.at(at));
    });
  };
}

template <class Put>
void Fill(uint64_t keys, const Put& put) {
  const std::string value(kValueSize, 'v');
  const KeyStream all = KeyStream::Shuffled(keys, 3);
  for (size_t at = 0; at < all.size(); ++at) put(all.view(at), value);
}

struct Lru {
  Handle memory, lru;
  explicit Lru(uint64_t max_bytes) : memory(OpenMemory(4 * max_bytes)) {
    if (memory) lru = OpenLru(memory.get(), max_bytes);
  }
  cs_store* get() const { return lru.get(); }
};

void Figure2() {
  for (const uint64_t keys : {uint64_t{10'000}, kManyKeys}) {
    const bool few = keys != kManyKeys;
    const std::string what = std::string("metrics(lru(memory)) ") + (few ? "Z10k" : "Z1M");
    Lru lru(kRoomy);
    if (!lru.lru) return NotInThisBuild("2", what);
    const Handle metrics = OpenMetrics(lru.get());
    if (!metrics) return NotInThisBuild("2", what);
    FrontedMemory plain = OpenFrontedMemory(kRoomy);
    Fill(keys, [&](std::string_view key, std::string_view value) {
      PutOrDie(lru.get(), key, value);
      PutOrDie(plain.get(), key, value);
    });
    const std::vector<KeyStream> streams = Streams(keys, 1);
    Compare("2", what, few ? AtMost(1.4, 1.2) : AtMost(1.2, 1.1), plain.what,
            GetSide(streams, [&](const char* key) { GetHit(metrics.get(), key, kKeySize); }),
            GetSide(streams, [&](const char* key) { GetHit(plain.get(), key, kKeySize); }));
  }
}

// ---- Figure 3's references: a hit, its first byte read, and the value let go of ----

#ifdef BENCH_WITH_TBB
struct KeyBytes {
  std::array<char, kKeySize> bytes;
  friend bool operator==(const KeyBytes&, const KeyBytes&) = default;
};
struct KeyBytesHash {
  static size_t hash(const KeyBytes& key) { return XXH3_64bits(key.bytes.data(), kKeySize); }
  static bool equal(const KeyBytes& a, const KeyBytes& b) { return a == b; }
};
KeyBytes BytesOf(const char* key) {
  KeyBytes bytes;
  std::copy(key, key + kKeySize, bytes.bytes.begin());
  return bytes;
}

void AgainstTbb(const std::vector<KeyStream>& streams, const Side& ours) {
  tbb::concurrent_hash_map<KeyBytes, std::string, KeyBytesHash> map;
  Fill(kManyKeys, [&](std::string_view key, std::string_view value) {
    map.insert({BytesOf(key.data()), std::string(value)});
  });
  Compare("3", "hit, eviction on, Z1M T2", AtLeast(1.5, 2), "oneTBB concurrent_hash_map", ours,
          GetSide(streams, [&](const char* key) {
            decltype(map)::const_accessor found;
            if (!map.find(found, BytesOf(key))) Die("oneTBB missed");
            Keep(found->second[0]);
          }));
}
#endif

#ifdef BENCH_WITH_LEVELDB
void AgainstLevelDb(const std::vector<KeyStream>& streams, const Side& ours) {
  const std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(kRoomy));
  Fill(kManyKeys, [&](std::string_view key, std::string_view value) {
    auto* copy = new std::string(value);
    cache->Release(cache->Insert(
        {key.data(), key.size()}, copy, value.size(),
        [](const leveldb::Slice&, void* held) { delete static_cast<std::string*>(held); }));
  });
  Compare("3", "hit, eviction on, Z1M T2", AtLeast(3, 4.5), "LevelDB's ShardedLRUCache", ours,
          GetSide(streams, [&](const char* key) {
            auto* const found = cache->Lookup({key, kKeySize});
            if (!found) Die("LevelDB's cache missed");
            Keep((*static_cast<std::string*>(cache->Value(found)))[0]);
            cache->Release(found);
          }));
}
#endif

#ifdef BENCH_WITH_ROCKSDB
void AgainstRocksDb(const std::vector<KeyStream>& streams, const Side& ours, const char* name,
                    const Goal& goal, const std::shared_ptr<rocksdb::Cache>& cache, bool hashed) {
  // The HyperClockCache takes keys of 16 bytes only: it gets the key's hash.
  const auto with_key = [hashed](const char* key, const auto& use) {
    if (!hashed) return use(rocksdb::Slice(key, kKeySize));
    const XXH128_hash_t hash = XXH3_128bits(key, kKeySize);
    static_assert(sizeof hash == 16);
    return use(rocksdb::Slice(reinterpret_cast<const char*>(&hash), sizeof hash));
  };
  Fill(kManyKeys, [&](std::string_view key, std::string_view value) {
    with_key(key.data(), [&](const rocksdb::Slice& slice) {
      const auto status = cache->Insert(
          slice, new std::string(value), value.size(),
          [](const rocksdb::Slice&, void* held) { delete static_cast<std::string*>(held); });
      if (!status.ok()) Die("RocksDB's cache refused a value");
    });
  });
  Compare("3", "hit, eviction on, Z1M T2", goal, name, ours, GetSide(streams, [&](const char* key) {
            with_key(key, [&](const rocksdb::Slice& slice) {
              auto* const found = cache->Lookup(slice);
              if (!found) Die("RocksDB's cache missed");
              Keep((*static_cast<std::string*>(cache->Value(found)))[0]);
              cache->Release(found);
            });
          }));
}
#endif

void Figure3() {
  Lru lru(kRoomy);
  if (!lru.lru) return NotInThisBuild("3", "hit with eviction on");
  Fill(kManyKeys,
       [&](std::string_view key, std::string_view value) { PutOrDie(lru.get(), key, value); });
  const std::vector<KeyStream> streams = Streams(kManyKeys, 2);
  const Side ours = GetSide(streams, [&](const char* key) { GetHit(lru.get(), key, kKeySize); });
#ifdef BENCH_WITH_TBB
  AgainstTbb(streams, ours);
#else
  Note("oneTBB was not found when this was built");
#endif
#ifdef BENCH_WITH_LEVELDB
  AgainstLevelDb(streams, ours);
#else
  Note("LevelDB was not found when this was built");
#endif
#ifdef BENCH_WITH_ROCKSDB
  AgainstRocksDb(streams, ours, "RocksDB's LRUCache", AtLeast(3, 4.5), rocksdb::NewLRUCache(kRoomy),
                 false);
  rocksdb::HyperClockCacheOptions clock(kRoomy, kValueSize);
  AgainstRocksDb(streams, ours, "RocksDB's HyperClockCache", AtLeast(1.8, 2.5),
                 clock.MakeSharedCache(), true);
#else
  Note("RocksDB was not found when this was built");
#endif
}

void Figure6() {
  const std::string value(kValueSize, 'v');
  // Half of what a million entries take: measured, because that is the store's own affair.
  uint64_t half = kRoomy;
  {
    Handle probe = OpenMemory(kRoomy);
    if (!OpenLru(probe.get(), kRoomy)) return NotInThisBuild("6", "put, evicting / get");
    half = kManyKeys / 2 * (kKeySize + kValueSize + 60);
  }
  Lru lru(half);
  Fill(kManyKeys,
       [&](std::string_view key, std::string_view each) { PutOrDie(lru.get(), key, each); });
  const std::vector<KeyStream> streams = Streams(kManyKeys, 1);
  Compare("6", "put, evicting / get Z1M", AtMost(3, 2.2), "get",
          GetSide(streams,
                  [&](const char* key) {
                    PutOrDie(lru.get(), {key, kKeySize}, value);
                  }),
          GetSide(streams, [&](const char* key) {
            cs_result result;
            if (cs_get_sync(lru.get(), key, kKeySize, nullptr, &result) < 0) Die("a get failed");
            cs_result_release(&result);
          }));
}

}  // namespace

void CacheFigures() {
  if (Wanted(2)) Figure2();
  if (Wanted(3)) Figure3();
  if (Wanted(6)) Figure6();
}

}  // namespace bench
