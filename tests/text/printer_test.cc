#include "text/printer.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/wrapper.h"
#include "managers/logging/logging.h"
#include "support/store_calls.h"
#include "support/temporary_directory.h"
#include "text/opener.h"

namespace chainstore::text {
namespace {

// What a text is when it has been opened and described; and the same once more.
std::string Canonical(const std::string& text) {
  auto opened = Open(text, nullptr);
  if (!opened.ok()) return opened.status().ToString();
  const std::string described = Describe(**opened);
  EXPECT_EQ(CloseStore(**opened).code(), Code::kOk);
  auto again = Open(described, nullptr);
  EXPECT_TRUE(again.ok()) << described << ": " << again.status().ToString();
  if (again.ok()) {
    EXPECT_EQ(Describe(**again), described);
    EXPECT_EQ(CloseStore(**again).code(), Code::kOk);
  }
  return described;
}

constexpr char kMemory[] = "memory:?max_bytes=1TiB&shards=16";
constexpr char kBehind[] =
    "behind(journal=auto, max_entries=100000, max_bytes=256MiB, overflow=block, concurrency=16, "
    "attempt_timeout=5m, settle=30s, retry_min=50ms, retry_max=1m, drain_idle=10s, ";

TEST(PrinterTest, DefaultsAreFilledInAndValuesCanonical) {
  EXPECT_EQ(Canonical("memory:"), kMemory);
  EXPECT_EQ(Canonical("memory:?shards=8&max_bytes=1048576"), "memory:?max_bytes=1MiB&shards=8");
  EXPECT_EQ(Canonical("lru(500000000, memory:)"),
            std::string("lru(500MB, policy=lru, cushion=10%, oversize=bypass, shards=0, "
                        "recency_interval=2s, ") +
                kMemory + ")");
  EXPECT_EQ(Canonical("timeout(120000ms,memory:)"), std::string("timeout(2m, ") + kMemory + ")");
  EXPECT_EQ(Canonical("metrics(my%20disk, memory:)"),
            std::string("metrics(my%20disk, ") + kMemory + ")");
  EXPECT_EQ(Canonical("hash(sha256,memory:)"), std::string("hash(sha256, ") + kMemory + ")");
  EXPECT_EQ(Canonical("log(level=debug, memory:)"),
            std::string("log(stderr, level=debug, sample=1, key_bytes=64, ") + kMemory + ")");
  EXPECT_EQ(Canonical("fault(rate=5, operations=get+put, memory:)"),
            std::string("fault(rate=5%, at=0, status=io, when=before, delay=0ms, delay_rate=100%, "
                        "operations=get+put, seed=1, ") +
                kMemory + ")");
}

TEST(PrinterTest, AChainShowsTheStoresThatItHas) {
  const std::string behind = kBehind + std::string(kMemory) + ")";
  EXPECT_EQ(Canonical("memory: > memory:"), std::string(kMemory) + " > " + behind);
  // Of three, the lower two are a chain behind the queue, which writes through.
  EXPECT_EQ(Canonical("memory: > memory: > memory:"), std::string(kMemory) + " > " + kBehind +
                                                          "chain(writes=through, fill=async, " +
                                                          kMemory + " > " + kMemory + "))");
  EXPECT_EQ(Canonical("chain(writes=through, fill=off, memory: > memory:)"),
            std::string("chain(writes=through, fill=off, ") + kMemory + " > " + kMemory + ")");
  EXPECT_EQ(Canonical("chain(memory:)"),
            std::string("chain(writes=behind, fill=async, ") + kMemory + ")");
  EXPECT_EQ(Canonical("memory: > (memory: > memory:)"),
            std::string(kMemory) + " > (" + kMemory + " > " + behind + ")");
  EXPECT_EQ(Canonical("timeout(1s, memory: > memory:)"),
            std::string("timeout(1s, ") + kMemory + " > " + behind + ")");
}

TEST(PrinterTest, PathsAreThoseOfTheMachine) {
  const TemporaryDirectory folder;
  const std::string text = Canonical("file:" + folder.path() + "/./a%20%3E%2C%25?verify=off");
  EXPECT_EQ(text, "file:" + folder / "a%20%3E%2C%?durability=full&verify=off&max_value_size=0");
}

#ifdef CHAINSTORE_WITH_LMDB
TEST(PrinterTest, LmdbShowsItsBucketAndAMapThatWasGiven) {
  const TemporaryDirectory folder;
  const std::string path = "lmdb:" + folder / "d";
  EXPECT_EQ(Canonical(path + "?map_size=64MiB"),
            path + "?bucket=chainstore&durability=full&format=record&verify=on&map_size=64MiB");
  EXPECT_EQ(Canonical(path + "?map_size=64MiB&bucket=a%26b"),
            path + "?bucket=a%26b&durability=full&format=record&verify=on&map_size=64MiB");
}
#endif

#ifdef CHAINSTORE_WITH_LEVELDB
TEST(PrinterTest, LevelDbShowsItsOptions) {
  const TemporaryDirectory folder;
  const std::string path = "leveldb:" + folder / "d";
  EXPECT_EQ(Canonical(path + "?bloom_bits=12"),
            path +
                "?durability=full&format=record&verify=on&write_buffer_size=4MiB&"
                "max_open_files=1000&block_cache=8MiB&block_size=4KiB&bloom_bits=12&"
                "compression=snappy");
}
#endif

TEST(PrinterTest, WhatCameFromTheEnvironmentIsShownAsItWasWritten) {
  const TemporaryDirectory folder;
  setenv("CHAINSTORE_TEST_FOLDER", folder.path().c_str(), 1);
  setenv("CHAINSTORE_TEST_SIZE", "64MiB", 1);
  EXPECT_EQ(Canonical("file:${CHAINSTORE_TEST_FOLDER}/x?max_value_size=${CHAINSTORE_TEST_SIZE}"),
            "file:${CHAINSTORE_TEST_FOLDER}/x?durability=full&verify=on&"
            "max_value_size=${CHAINSTORE_TEST_SIZE}");
  unsetenv("CHAINSTORE_TEST_FOLDER");
  unsetenv("CHAINSTORE_TEST_SIZE");
}

// ---- What text cannot make ----

class Own final : public Wrapper {
 public:
  explicit Own(Ref<Store> inner) : Wrapper("my store", std::move(inner)) {}
};

void Unheard(void*, int32_t, const char*, size_t) {}

TEST(PrinterTest, StoresAndFunctionsOfAProgramAreShownAndCannotBeOpened) {
  const Ref<Store> memory = *Open("memory:", nullptr);
  const Ref<Store> own = MakeRef<Own>(memory);
  EXPECT_EQ(Describe(*own), std::string("custom:my%20store(") + kMemory + ")");
  EXPECT_FALSE(Open(Describe(*own), nullptr).ok());
  const Ref<Store> log = *NewLogging(memory, {&Unheard, nullptr, nullptr}, nullptr);
  EXPECT_EQ(Describe(*log),
            std::string("log(***, level=info, sample=1, key_bytes=64, ") + kMemory + ")");
  EXPECT_FALSE(Open(Describe(*log), nullptr).ok());
}

// ---- A store like S3 will be: a bucket, a prefix, a secret ----

constexpr OptionSpec kCloudArguments[] = {
    {"bucket", OptionSpec::Type::kText, nullptr, "the bucket"},
};
constexpr OptionSpec kCloudOptions[] = {
    {"prefix", OptionSpec::Type::kText, "", "of every key"},
    {"secret_key", OptionSpec::Type::kSecret, "", "never shown"},
};

Result<Ref<Store>> MakeCloud(const Scheme::Parts& parts) {
  Ref<Store> store = MakeRef<Own>(*Open("memory:", nullptr));
  store->SetRecipe({"cloud", {{"bucket", parts.arguments[0]}}, kCloudOptions, &parts.options});
  return store;
}

constexpr Scheme kCloud[] = {
    {"cloud", Scheme::Form::kBucket, "", "", kCloudArguments, kCloudOptions, MakeCloud},
};

std::string CloudText(const std::string& text) {
  Dialect dialect{kCloud, [](const char*) { return "hunter2"; }};
  auto opened = Open(text, nullptr, dialect);
  return opened.ok() ? Describe(**opened, kCloud) : opened.status().error()->message();
}

TEST(PrinterTest, BucketsAndPrefixesAreAUrlAndSecretsAreMasked) {
  EXPECT_EQ(CloudText("cloud://b"), "cloud://b");
  EXPECT_EQ(CloudText("cloud://b/"), "cloud://b");
  EXPECT_EQ(CloudText("cloud://b/some/pre%20fix"), "cloud://b/some/pre%20fix");
  EXPECT_EQ(CloudText("cloud://b?prefix=p"), "cloud://b/p");
  EXPECT_EQ(CloudText("cloud://b/p?secret_key=hunter2"), "cloud://b/p?secret_key=***");
  EXPECT_EQ(CloudText("cloud://b/p?secret_key=${S3_SECRET_KEY}"),
            "cloud://b/p?secret_key=${S3_SECRET_KEY}");
  EXPECT_EQ(CloudText("cloud:b"), "column 7: 'b' cannot stand here; '//' and the bucket could");
  EXPECT_EQ(CloudText("cloud:///p"), "column 9: 'cloud' needs bucket (text): the bucket");
}

TEST(PrinterTest, AChangedOptionIsShownAsItIsNow) {
  const Ref<Store> memory = *Open("memory:", nullptr);
  memory->NoteRecipe({"max_bytes", "2097152"});
  EXPECT_EQ(Describe(*memory), "memory:?max_bytes=2MiB&shards=16");
}

}  // namespace
}  // namespace chainstore::text
