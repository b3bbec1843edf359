// LRU(LMDB) before a real S3 server, with a cache that is too small: entries go, and come back from
// S3, while others write. A get returns nothing older than what was acknowledged, or returned by
// another get, before it began; nor does anything old come back with the cache of an earlier run.
#include <atomic>
#include <filesystem>
#include <random>
#include <thread>

#include "contract/s3_subject.h"

namespace contract {
namespace {

constexpr size_t kKeys = 24;
constexpr int kWrites = 24;  // of each key; every eighth deletes
constexpr size_t kWriters = 4;
constexpr size_t kReaders = 4;
constexpr uint64_t kCache = 128 << 10;  // holds a few of them
constexpr size_t kValueSize = 12'000;

bool Deletes(int version) { return version % 8 == 0; }
std::string KeyOf(size_t key) { return "k" + std::to_string(key); }
std::string ValueOf(int version) {
  std::string text = std::to_string(version) + " ";
  return text + std::string(kValueSize, 'v');
}

class S3FreshnessTest : public ::testing::TestWithParam<const char*> {
 protected:
  S3FreshnessTest() : directory_(::testing::TempDir() + "freshness-" + std::to_string(getpid())) {
    std::filesystem::create_directory(directory_);
  }
  ~S3FreshnessTest() override { std::filesystem::remove_all(directory_); }

  Client Open() {
    const Options map = {{"map_size", "64MiB"}};
    const Client lmdb(cs_lmdb_new(directory_.c_str(), nullptr, map.handle, nullptr));
    const Client lru(cs_lru_new(lmdb.get(), kCache, nullptr, nullptr));
    const Client s3 = S3With(std::string("fresh-") + GetParam(), {});
    cs_store* const links[] = {lru.get(), s3.get()};
    const Options options = {{"writes", GetParam()}};
    return Client(cs_chain_new(links, 2, options.handle, nullptr));
  }

  void Raise(size_t key, int version) {
    int seen = floor_[key];
    while (seen < version && !floor_[key].compare_exchange_weak(seen, version)) {
    }
  }
  void Write(Client& store, size_t writer) {
    for (int version = 1; version <= kWrites; ++version) {
      for (size_t key = writer; key < kKeys; key += kWriters) {
        begun_[key] = version;
        const Reply reply =
            Deletes(version) ? store.Del(KeyOf(key)) : store.Put(KeyOf(key), ValueOf(version));
        EXPECT_TRUE(reply.ok()) << reply.message;
        Raise(key, version);
      }
    }
  }
  void Read(Client& store, size_t seed) {
    std::minstd_rand random(static_cast<uint32_t>(seed));
    while (!stop_) ReadOne(store, random() % kKeys);
  }
  void ReadOne(Client& store, size_t key) {
    const int at_least = floor_[key];
    const Reply reply = store.Get(KeyOf(key));
    if (reply.ok()) {
      const int version = std::stoi(reply.value);
      EXPECT_TRUE(version >= at_least && reply.value == ValueOf(version))
          << KeyOf(key) << ": " << version << " after " << at_least;
      Raise(key, version);
      ++(reply.tier == 1 ? cached_ : fetched_);
      return;
    }
    // Absent: not put yet, or deleted at or after what was acknowledged.
    EXPECT_EQ(reply.status, CS_NOT_FOUND) << reply.message;
    const int latest = begun_[key];
    bool may_be = at_least == 0;
    for (int version = at_least; version <= latest; ++version) may_be |= Deletes(version);
    EXPECT_TRUE(may_be) << KeyOf(key) << " is missing after " << at_least;
  }

  const std::string directory_;
  std::atomic<bool> stop_{false};
  std::atomic<size_t> cached_{0}, fetched_{0};
  std::atomic<int> floor_[kKeys] = {}, begun_[kKeys] = {};
};

TEST_P(S3FreshnessTest, NoGetReturnsAnythingOlder) {
  if (!HasS3() || !cs_has("lmdb")) GTEST_SKIP() << "needs a server, and LMDB";
  {
    Client store = Open();
    std::vector<std::thread> writers, readers;
    for (size_t i = 0; i < kWriters; ++i) writers.emplace_back([&, i] { Write(store, i); });
    for (size_t i = 0; i < kReaders; ++i) readers.emplace_back([&, i] { Read(store, i + 1); });
    for (std::thread& thread : writers) thread.join();
    stop_ = true;
    for (std::thread& thread : readers) thread.join();
    EXPECT_GT(cached_, 0u);
    EXPECT_GT(fetched_, 0u) << "nothing was ever evicted";
    // One more of each, so that it is there, and half of them while it is in the cache.
    for (size_t key = 0; key < kKeys; ++key) {
      EXPECT_TRUE(store.Put(KeyOf(key), ValueOf(kWrites + 1)).ok());
      Raise(key, begun_[key] = kWrites + 1);
      ReadOne(store, key);
    }
    EXPECT_TRUE(store.Flush().ok());
    EXPECT_TRUE(store.Close().ok());
  }
  Client again = Open();
  for (size_t key = kKeys; key-- > 0;) ReadOne(again, key);
  Client direct = S3With(std::string("fresh-") + GetParam(), {});
  for (size_t key = 0; key < kKeys; ++key) {
    EXPECT_EQ(direct.Get(KeyOf(key)).value, ValueOf(kWrites + 1));
    EXPECT_TRUE(again.Del(KeyOf(key)).ok());
  }
  EXPECT_TRUE(again.Close().ok());
  EXPECT_TRUE(direct.Keys().empty());
  EXPECT_TRUE(direct.Close().ok());
}

INSTANTIATE_TEST_SUITE_P(Chains, S3FreshnessTest, ::testing::Values("through", "behind"),
                         [](const auto& info) { return std::string(info.param) + "_S3"; });

}  // namespace
}  // namespace contract
