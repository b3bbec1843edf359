#include "text/opener.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/store_calls.h"
#include "support/temporary_directory.h"
#include "text/printer.h"

namespace chainstore::text {
namespace {

Ref<Store> OpenText(const std::string& text, const Options* options = nullptr) {
  auto opened = Open(text, options);
  EXPECT_TRUE(opened.ok()) << text << ": " << opened.status().ToString();
  return opened.ok() ? *opened : nullptr;
}

Status ErrorOf(const std::string& text, const Options* options = nullptr) {
  auto opened = Open(text, options);
  EXPECT_FALSE(opened.ok()) << text;
  return opened.ok() ? Status() : opened.status();
}
std::string MessageOf(const std::string& text, const Options* options = nullptr) {
  const Status status = ErrorOf(text, options);
  return status.error() ? status.error()->message() : "";
}

TEST(OpenerTest, AStoreIsAStoreAndAChainAChain) {
  const TemporaryDirectory folder;
  const Ref<Store> memory = OpenText("memory:");
  EXPECT_EQ(memory->recipe().kind, "memory");
  const Ref<Store> chain = OpenText("lru(1MiB, memory:) > file:" + folder / "d");
  EXPECT_EQ(Put(*chain, "k", "v"), Code::kOk);
  EXPECT_EQ(GetText(*chain, "k"), "v");
  EXPECT_EQ(chain->tier_count(), 2u);
  EXPECT_TRUE(Exists(folder / "d"));
  EXPECT_EQ(CloseStore(*chain).code(), Code::kOk);
}

TEST(OpenerTest, ARelativePathIsResolvedWhenOpened) {
  const TemporaryDirectory folder;
  char before[4096];
  ASSERT_NE(getcwd(before, sizeof(before)), nullptr);
  ASSERT_EQ(chdir(folder.path().c_str()), 0);
  const Ref<Store> store = OpenText("file:./sub%20folder");
  ASSERT_EQ(chdir(before), 0);
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
  EXPECT_TRUE(Exists(folder / "sub folder/k"));
  EXPECT_EQ(CloseStore(*store).code(), Code::kOk);
}

TEST(OpenerTest, OptionsReplaceThoseOfTheOutermostStore) {
  Options options;
  options.values = {{"cushion", "20%"}, {"max_bytes", "2MiB"}};
  const Ref<Store> lru = OpenText("lru(1MiB, cushion=5%, memory:)", &options);
  EXPECT_EQ(lru->recipe().Find("cushion")->text, "20%");
  EXPECT_EQ(lru->recipe().Find("max_bytes")->text, "2MiB");
  options.values = {{"cushoin", "20%"}};
  EXPECT_EQ(MessageOf("lru(1MiB, memory:)", &options), "unknown option 'cushoin' of 'lru'");
  options.values = {{"cushion", "x"}};
  EXPECT_EQ(MessageOf("lru(1MiB, memory:)", &options),
            "option 'cushion': 'x' is not a whole number");
}

TEST(OpenerTest, EveryStoreRunsInTheRuntimeOfTheOptions) {
  Options options;
  options.runtime = MakeRef<RuntimeSlot>(RuntimeSettings{});
  const Ref<Store> chain = OpenText("memory: > behind(memory:)", &options);
  const Ref<Store> other = OpenText("memory:");
  EXPECT_NE(&chain->runtime(), &other->runtime());
  for (const Store* store : {chain->inner(0), chain->inner(1), chain->inner(1)->inner(0)}) {
    EXPECT_EQ(&store->runtime(), &chain->runtime());
  }
}

TEST(OpenerTest, WhatAConstructorRefusesNamesTheColumn) {
  EXPECT_EQ(MessageOf("memory: > lru(0, memory:)"),
            "column 11: lru: open: a capacity of 0 bytes holds nothing");
  EXPECT_EQ(MessageOf("timeout(0s, memory:)"),
            "column 1: timeout: a timeout of 0 would fail every call");
  EXPECT_EQ(MessageOf("behind(memory:) > memory:").find("column 1: chain: behind has a write-behi"),
            0u);
  const TemporaryDirectory folder;
  // What is not the text's fault is the constructor's error as it is.
  const Ref<Store> open = OpenText("file:" + folder.path());
  const Status busy = ErrorOf("file:" + folder.path());
  EXPECT_TRUE(busy.Is(Code::kBusy)) << busy.ToString();
  EXPECT_EQ(busy.error()->message().find("file:" + folder.path() + ": "), 0u) << busy.ToString();
  EXPECT_EQ(CloseStore(*open).code(), Code::kOk);
}

TEST(OpenerTest, OneDirectoryTwiceIsRefusedBeforeAnythingIsOpened) {
  const TemporaryDirectory folder;
  const std::string path = folder / "d";
  const std::string text = "file:" + path + " > lru(1MiB, file:" + folder.path() + "/./d/)";
  EXPECT_EQ(MessageOf(text).find("column " + std::to_string(path.size() + 24) + ": '"), 0u)
      << MessageOf(text);
  EXPECT_NE(MessageOf(text).find("is the directory of the store at column 6 too"),
            std::string::npos);
  EXPECT_FALSE(Exists(path));
  ASSERT_EQ(symlink(folder.path().c_str(), (folder / "link").c_str()), 0);
  EXPECT_TRUE(ErrorOf("file:" + path + " > file:" + folder / "link/d").Is(Code::kInvalid));
  EXPECT_TRUE(ErrorOf("file:" + path + " > lmdb:" + path).Is(Code::kInvalid));
}

TEST(OpenerTest, NothingIsLeftOpenWhenALaterStoreFails) {
  const TemporaryDirectory folder;
  const std::string good = "file:" + folder / "d";
  for (int round = 0; round < 10; ++round) {
    EXPECT_FALSE(Open(good + " > file:/proc/chainstore", nullptr).ok());
    EXPECT_FALSE(Open("lru(1GiB, " + good + ") > lru(0, memory:)", nullptr).ok());
    const Ref<Store> store = OpenText(good);
    EXPECT_EQ(CloseStore(*store).code(), Code::kOk);
  }
}

TEST(OpenerTest, WhatTheEnvironmentHeldIsInNoError) {
  setenv("CHAINSTORE_TEST_SECRET", "/proc/hunter2", 1);
  const Status status = ErrorOf("file:${CHAINSTORE_TEST_SECRET}");
  EXPECT_EQ(status.error()->message().find("hunter2"), std::string::npos) << status.ToString();
  EXPECT_NE(status.error()->message().find("${CHAINSTORE_TEST_SECRET}"), std::string::npos);
  for (const auto& [name, value] : status.error()->details()) {
    EXPECT_EQ(value.find("hunter2"), std::string::npos) << name;
  }
  const Status twice = ErrorOf("file:${CHAINSTORE_TEST_SECRET} > file:${CHAINSTORE_TEST_SECRET}");
  EXPECT_TRUE(twice.Is(Code::kInvalid));
  EXPECT_EQ(twice.error()->message().find("hunter2"), std::string::npos) << twice.ToString();
  unsetenv("CHAINSTORE_TEST_SECRET");
}

#ifdef CHAINSTORE_WITH_LMDB
TEST(OpenerTest, TwoBucketsOfOneLmdbFileAreTwoStores) {
  const TemporaryDirectory folder;
  const std::string path = "lmdb:" + folder / "d" + "?map_size=64MiB";
  const Ref<Store> chain = OpenText(path + "&bucket=a > " + path + "&bucket=b");
  EXPECT_EQ(CloseStore(*chain).code(), Code::kOk);
  EXPECT_TRUE(ErrorOf(path + "&bucket=a > " + path + "&bucket=a").Is(Code::kInvalid));
}
#else
TEST(OpenerTest, AStoreThatWasLeftOutOfTheBuildIsUnsupported) {
  EXPECT_EQ(MessageOf("lmdb:/d"), "column 1: this build of the library has no 'lmdb'");
  EXPECT_TRUE(ErrorOf("lmdb:/d").Is(Code::kUnsupported));
}
#endif

}  // namespace
}  // namespace chainstore::text
