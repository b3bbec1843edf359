// What the original got wrong, each under its own name (what concerns a broken store is made with
// real ones: a file where a folder should be, a store that is closed beneath the chain).
#include <dirent.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "contract/subject.h"

namespace contract {
namespace {

class OriginalFaultsTest : public ::testing::Test {
 protected:
  OriginalFaultsTest() {
    directory_ = ::testing::TempDir() + "faults-XXXXXX";
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
  }
  ~OriginalFaultsTest() override { std::filesystem::remove_all(directory_); }

  static Client Memory(uint64_t max_bytes = 1 << 24) {
    return Client(cs_memory_new(max_bytes, nullptr, nullptr));
  }
  Client Files(const std::string& name) {
    return Client(cs_filesystem_new((directory_ + "/" + name).c_str(), nullptr, nullptr));
  }
  static Client Chain(std::vector<cs_store*> stores,
                      std::initializer_list<std::pair<const char*, const char*>> pairs) {
    const Options options(pairs);
    cs_error* error = nullptr;
    cs_store* chain = cs_chain_new(stores.data(), stores.size(), options.handle, &error);
    EXPECT_NE(chain, nullptr) << (error ? cs_error_message(error) : "");
    cs_error_unref(error);
    return Client(chain);
  }

  std::string directory_;
};

struct Errors {
  std::atomic<int> count{0};
  static void Count(void* self, const cs_error*) { ++static_cast<Errors*>(self)->count; }
};

TEST_F(OriginalFaultsTest, No1_AnErrorOfTheLastStoreIsNotAMiss) {
  Client near = Memory(), far = Files("far");
  Client chain = Chain({near.get(), far.get()}, {{"writes", "through"}});
  ASSERT_EQ(far.Close().status, CS_OK);  // beneath the chain: it fails from now on
  const Reply reply = chain.Get("k");
  EXPECT_LT(reply.status, 0) << "a store that cannot answer is not a miss";
  chain.Close();
}

TEST_F(OriginalFaultsTest, No2_DelReachesTheLastStoreThoughTheKeyIsAbsentInTheFirst) {
  Client near = Memory(), far = Files("far");
  ASSERT_EQ(far.Put("k", "v").status, CS_OK);
  Client chain = Chain({near.get(), far.get()}, {{"writes", "through"}});
  EXPECT_EQ(chain.Del("k").status, CS_OK);
  EXPECT_EQ(far.Get("k").status, CS_NOT_FOUND);
  EXPECT_EQ(chain.Get("k").status, CS_NOT_FOUND) << "and it does not come back";
  chain.Close();
}

TEST_F(OriginalFaultsTest, No3_ABrokenUpperStoreHidesNoHealthyLowerOne) {
  Client near = Memory(), far = Files("far");
  Client chain = Chain({near.get(), far.get()}, {{"writes", "through"}});
  ASSERT_EQ(chain.Put("k", "v").status, CS_OK);
  ASSERT_EQ(near.Close().status, CS_OK);
  EXPECT_EQ(chain.Get("k").value, "v");
  EXPECT_EQ(chain.Put("k", "w").status, CS_OK);
  EXPECT_EQ(chain.Get("k").value, "w");
  chain.Close();
}

TEST_F(OriginalFaultsTest, No4_AnEmptyValueIsFound) {
  Client near = Memory(), far = Files("far");
  Client chain = Chain({near.get(), far.get()}, {{"writes", "through"}});
  ASSERT_EQ(chain.Put("k", "").status, CS_OK);
  EXPECT_EQ(chain.Get("k").status, CS_OK);
  EXPECT_EQ(far.Get("k").status, CS_OK);
  chain.Close();
}

TEST_F(OriginalFaultsTest, No5_BackgroundPutsKeepTheirOrderAndAreWaitedForOnClose) {
  Client near = Memory();
  {
    Client far = Files("far");
    Client chain = Chain({near.get(), far.get()}, {{"writes", "behind"}});
    for (int i = 0; i <= 200; ++i) ASSERT_EQ(chain.Put("k", std::to_string(i)).status, CS_OK);
    for (int i = 0; i < 50; ++i) ASSERT_EQ(chain.Put("k" + std::to_string(i), "v").status, CS_OK);
    EXPECT_EQ(chain.Close().status, CS_OK);
  }
  Client far = Files("far");
  EXPECT_EQ(far.Get("k").value, "200");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(far.Get("k" + std::to_string(i)).value, "v");
  far.Close();
}

TEST_F(OriginalFaultsTest, No5_BackgroundPutsAreBounded) {
  Client near = Memory(), far = Files("far");
  cs_error* error = nullptr;
  const Options options = {{"max_entries", "0"}};
  cs_store* behind = cs_write_behind_new(far.get(), options.handle, &error);
  EXPECT_EQ(behind, nullptr) << "a queue without a place is refused";
  EXPECT_EQ(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
}

TEST_F(OriginalFaultsTest, No6_ABackfillNeverOverwritesANewerPutNorUndoesADelete) {
  Client near = Memory(), far = Files("far");
  Client chain = Chain({near.get(), far.get()}, {{"writes", "through"}});
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) chain.Get("k");
  });
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(chain.Put("k", std::to_string(i)).status, CS_OK);
    near.Del("k");  // evicted: the reader fills it in again
    ASSERT_EQ(chain.Get("k").value, std::to_string(i));
    if (i % 3) continue;
    ASSERT_EQ(chain.Del("k").status, CS_OK);
    ASSERT_EQ(chain.Get("k").status, CS_NOT_FOUND);
  }
  stop = true;
  reader.join();
  chain.Close();
}

TEST_F(OriginalFaultsTest, No7_TheErrorHandlerIsNotCalledOnSuccess) {
  Client near = Memory(), far = Files("far");
  Client chain = Chain({near.get(), far.get()}, {{"writes", "behind"}});
  Errors errors;
  ASSERT_EQ(cs_on_error(chain.get(), Errors::Count, &errors, nullptr), CS_OK);
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(chain.Put(std::to_string(i), "v").status, CS_OK);
    ASSERT_EQ(chain.Get("none").status, CS_NOT_FOUND);
    ASSERT_EQ(chain.Del("none").status, CS_OK);
  }
  EXPECT_EQ(chain.Flush().status, CS_OK);
  EXPECT_EQ(chain.Close().status, CS_OK);
  cs_on_error(chain.get(), nullptr, nullptr, nullptr);
  EXPECT_EQ(errors.count.load(), 0);
}

TEST_F(OriginalFaultsTest, No8_KeysStayApartAndBelowTheRoot) {
  Client files = Files("root");
  ASSERT_EQ(files.Put("../escaped", "v").status, CS_OK);
  ASSERT_EQ(files.Put("Upper", "case").status, CS_OK);
  ASSERT_EQ(files.Put("a", "1").status, CS_OK);
  ASSERT_EQ(files.Put("a/b", "2").status, CS_OK);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/escaped"));
  EXPECT_EQ(files.Get("a").value, "1");
  EXPECT_EQ(files.Get("a/b").value, "2");
  EXPECT_EQ(files.Get("Upper").value, "case");
  EXPECT_EQ(files.Get("upper").status, CS_NOT_FOUND);
  EXPECT_EQ(files.Put("", "v").status, CS_INVALID);
  files.Close();
}

TEST_F(OriginalFaultsTest, No9_AReaderSeesTheOldOrTheNewFileButNoPartOfOne) {
  Client files = Files("root");
  const std::string a(200'000, 'a'), b(200'000, 'b');
  ASSERT_EQ(files.Put("k", a).status, CS_OK);
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) files.Put("k", i % 2 ? a : b);
    stop = true;
  });
  while (!stop) {
    // Also for whoever reads the file itself.
    std::ifstream file(directory_ + "/root/k", std::ios::binary);
    const std::string content((std::istreambuf_iterator<char>(file)), {});
    EXPECT_TRUE(content == a || content == b) << content.size();
  }
  writer.join();
  files.Close();
}

TEST_F(OriginalFaultsTest, No10_AnLruCountsKeysAndEndsAndAnOversizeValueEvictsNothing) {
  Client inner = Memory();
  cs_error* error = nullptr;
  Client lru(cs_lru_new(inner.get(), 64 << 10, nullptr, &error));
  ASSERT_NE(lru.get(), nullptr) << cs_error_message(error);
  for (int i = 0; i < 500; ++i) {
    const std::string key = std::string(1000, 'k') + std::to_string(i);
    ASSERT_EQ(lru.Put(key, "").status, CS_OK);
  }
  EXPECT_LE(lru.Keys().size(), 64u) << "keys of a thousand bytes count";
  EXPECT_GT(lru.Keys().size(), 16u);
  ASSERT_EQ(lru.Put("small", "v").status, CS_OK);
  EXPECT_EQ(lru.Put("small2", std::string(100 << 10, 'x')).status, CS_TOO_LARGE);
  EXPECT_EQ(lru.Get("small").value, "v") << "nothing was evicted for it";
  lru.Close();
}

TEST_F(OriginalFaultsTest, No10_AnLruIsWarmAfterARestart) {
  for (int round = 0; round < 2; ++round) {
    Client files = Files("disk");
    Client lru(cs_lru_new(files.get(), 1 << 20, nullptr, nullptr));
    if (round == 0) {
      ASSERT_EQ(lru.Put("k", "v").status, CS_OK);
    }
    EXPECT_EQ(lru.Get("k").value, "v");
    lru.Close();
  }
}

TEST_F(OriginalFaultsTest, No11_TheMemoryStoreKeepsNoPointerToTheCallersBuffer) {
  Client memory = Memory();
  std::string value = "value";
  ASSERT_EQ(memory.Put("k", value).status, CS_OK);
  value.assign("?????");
  EXPECT_EQ(memory.Get("k").value, "value");
  memory.Close();
}

TEST_F(OriginalFaultsTest, No12_AFailedOpenLeavesNothingOpen) {
  Client files = Files("one");
  cs_store* twice[] = {files.get(), files.get()};
  cs_error* error = nullptr;
  EXPECT_EQ(cs_chain_new(twice, 2, nullptr, &error), nullptr);
  EXPECT_EQ(cs_error_status(error), CS_INVALID);
  cs_error_unref(error);
  EXPECT_EQ(files.Close().status, CS_OK);
  files = Client(nullptr);
  Client again = Files("one");  // the directory is free
  EXPECT_EQ(again.Put("k", "v").status, CS_OK);
  again.Close();
}

}  // namespace
}  // namespace contract
