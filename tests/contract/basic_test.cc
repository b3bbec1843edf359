// What every store does with one key.
#include <algorithm>
#include <cstring>
#include <thread>

#include "contract/subject.h"

namespace contract {
namespace {

INSTANTIATE_TEST_SUITE_P(Stores, ContractTest, ::testing::ValuesIn(AllSubjects()),
                         [](const auto& info) { return info.param.name; });

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  uint32_t state = 1;
  for (char& byte : bytes) byte = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  return bytes;
}

TEST_P(ContractTest, GivesBackWhatWasPut) {
  EXPECT_EQ(store_.Get("k").status, CS_NOT_FOUND);
  ASSERT_EQ(store_.Put("k", "value").status, CS_OK);
  const Reply reply = store_.Get("k");
  EXPECT_EQ(reply.value, "value");
  EXPECT_EQ(reply.total_size, 5u);
  EXPECT_EQ(reply.expires_at_ms, 0);
  EXPECT_GE(reply.tier, 1u);
  ASSERT_EQ(store_.Put("k", "other").status, CS_OK);
  EXPECT_EQ(store_.Get("k").value, "other");
}

TEST_P(ContractTest, TellsAnEmptyValueFromAMissingOne) {
  ASSERT_EQ(store_.Put("empty", "").status, CS_OK);
  cs_result result;
  ASSERT_EQ(cs_get_sync(store_.get(), "empty", 5, nullptr, &result), CS_OK);
  EXPECT_NE(result.data, nullptr);
  EXPECT_EQ(result.size, 0u);
  cs_result_release(&result);
  EXPECT_EQ(store_.Stat("empty").status, CS_OK);
  EXPECT_EQ(store_.Get("missing").status, CS_NOT_FOUND);
}

TEST_P(ContractTest, KeepsValuesOfEverySize) {
  // Around the sizes at which engines change how they store a value.
  for (const size_t size : {1u, 100u, 1999u, 2000u, 2100u, 4095u, 4096u, 4097u, 65536u, 300000u}) {
    const std::string value = Pattern(size);
    const std::string key = "size/" + std::to_string(size);
    ASSERT_EQ(store_.Put(key, value).status, CS_OK) << size;
    EXPECT_EQ(store_.Get(key).value, value) << size;
    EXPECT_EQ(store_.Stat(key).total_size, size);
  }
  const std::string large = Pattern(9u << 20);
  ASSERT_EQ(store_.Put("large", large).status, CS_OK);
  EXPECT_TRUE(store_.Get("large").value == large);
}

TEST_P(ContractTest, DeletesAndForgivesAMissingKey) {
  EXPECT_EQ(store_.Del("never").status, CS_OK);
  ASSERT_EQ(store_.Put("k", "v").status, CS_OK);
  EXPECT_EQ(store_.Del("k").status, CS_OK);
  EXPECT_EQ(store_.Get("k").status, CS_NOT_FOUND);
  EXPECT_EQ(store_.Stat("k").status, CS_NOT_FOUND);
  EXPECT_EQ(store_.Del("k").status, CS_OK);
}

TEST_P(ContractTest, ReadsRangesAsTheHeaderSays) {
  ASSERT_EQ(store_.Put("k", "0123456789").status, CS_OK);
  EXPECT_EQ(store_.GetRange("k", 2, 3).value, "234");
  EXPECT_EQ(store_.GetRange("k", 2, 3).total_size, 10u);
  EXPECT_EQ(store_.GetRange("k", 7, 100).value, "789") << "cut at the end";
  EXPECT_EQ(store_.GetRange("k", 3, UINT64_MAX).value, "3456789") << "to the end";
  EXPECT_EQ(store_.GetRange("k", 3, 0).value, "");
  for (const uint64_t offset : {uint64_t{10}, uint64_t{11}, UINT64_MAX}) {
    const Reply past = store_.GetRange("k", offset, 5);
    EXPECT_EQ(past.status, CS_OK) << "past the end is no error";
    EXPECT_EQ(past.value, "");
    EXPECT_EQ(past.total_size, 10u);
  }
  EXPECT_EQ(store_.GetRange("none", 0, 1).status, CS_NOT_FOUND);
}

TEST_P(ContractTest, PutsIfAbsentOnlyIfAbsent) {
  EXPECT_EQ(store_.PutIfAbsent("k", "first").status, CS_OK);
  EXPECT_EQ(store_.PutIfAbsent("k", "second").status, CS_EXISTS);
  EXPECT_EQ(store_.Get("k").value, "first");
  EXPECT_EQ(store_.Del("k").status, CS_OK);
  EXPECT_EQ(store_.PutIfAbsent("k", "third").status, CS_OK);
  EXPECT_EQ(store_.Get("k").value, "third");
}

TEST_P(ContractTest, PutsIfAbsentForExactlyOneOfMany) {
  for (int round = 0; round < 5; ++round) {
    std::atomic<int> won{0};
    std::vector<std::thread> threads;
    const std::string key = "k" + std::to_string(round);
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        const Reply reply = store_.PutIfAbsent(key, std::to_string(i));
        if (reply.ok()) ++won;
        EXPECT_TRUE(reply.ok() || reply.status == CS_EXISTS) << reply.message;
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won.load(), 1);
  }
}

TEST_P(ContractTest, ExpiresWhatHasATimeToLive) {
  const Reply put = store_.PutTtl("brief", "v", 1);
  ASSERT_EQ(put.status, CS_OK) << put.message;
  ASSERT_EQ(store_.PutTtl("long", "v", 3'600'000).status, CS_OK);
  // A millisecond passes by itself: asked until it has.
  while (store_.Get("brief").status == CS_OK) {
  }
  EXPECT_EQ(store_.Get("brief").status, CS_NOT_FOUND);
  EXPECT_EQ(store_.Stat("brief").status, CS_NOT_FOUND);
  EXPECT_GT(store_.Get("long").expires_at_ms, int64_t{1'600'000'000'000});
  EXPECT_EQ(store_.PutIfAbsent("brief", "again").status, CS_OK) << "an expired entry is absent";
  EXPECT_EQ(store_.Put("long", "for ever").status, CS_OK);
  EXPECT_EQ(store_.Get("long").expires_at_ms, 0) << "a put without a time to live has none";
}

// A get that sets nothing may take a shorter way through the layers than any other.
TEST_P(ContractTest, AnswersAPlainGetAsAnyOther) {
  ASSERT_EQ(store_.Put("k", "value").status, CS_OK);
  ASSERT_EQ(store_.PutTtl("limited", "v", 3'600'000).status, CS_OK);
  ASSERT_EQ(store_.Flush().status, CS_OK);
  for (const char* key : {"k", "limited", "missing"}) {
    store_.Get(key);  // fills what is to be filled
    const cs_call call = CS_CALL_INIT;
    const Reply other = store_.Get(key, &call);
    const Reply plain = store_.Get(key);
    EXPECT_EQ(plain.status, other.status);
    EXPECT_EQ(plain.value, other.value);
    EXPECT_EQ(plain.total_size, other.total_size);
    EXPECT_EQ(plain.expires_at_ms, other.expires_at_ms);
    EXPECT_EQ(plain.version, other.version);
    EXPECT_EQ(plain.tier, other.tier);
    EXPECT_EQ(plain.flags, other.flags);
  }
  EXPECT_EQ(store_.Close().status, CS_OK);
  EXPECT_EQ(store_.Get("k").status, CS_CLOSED);
}

TEST_P(ContractTest, GetsManyInTheOrderAsked) {
  ASSERT_EQ(store_.Put("a", "1").status, CS_OK);
  ASSERT_EQ(store_.Put("c", "").status, CS_OK);
  cs_status status;
  const std::vector<ReplyEntry> entries = store_.GetMany({"c", "b", "a", "a"}, &status);
  EXPECT_EQ(status, CS_OK);
  ASSERT_EQ(entries.size(), 4u);
  EXPECT_EQ(entries[0].key, "c");
  EXPECT_EQ(entries[0].reply.status, CS_OK);
  EXPECT_EQ(entries[1].reply.status, CS_NOT_FOUND);
  EXPECT_EQ(entries[2].reply.value, "1");
  EXPECT_EQ(entries[3].reply.value, "1");
}

TEST_P(ContractTest, WritesABatchInItsOrder) {
  ASSERT_EQ(store_.Put("gone", "v").status, CS_OK);
  const std::string one = "1", two = "2", empty;
  cs_status status;
  const auto entries = store_.Write(
      {{"a", &one}, {"gone", nullptr}, {"b", &empty}, {"a", &two}, {"never", nullptr}}, &status);
  EXPECT_EQ(status, CS_OK);
  ASSERT_EQ(entries.size(), 5u);
  for (const ReplyEntry& entry : entries) EXPECT_EQ(entry.reply.status, CS_OK);
  EXPECT_EQ(store_.Get("a").value, "2");
  EXPECT_EQ(store_.Get("b").status, CS_OK);
  EXPECT_EQ(store_.Get("gone").status, CS_NOT_FOUND);
}

TEST_P(ContractTest, ClaimsAtomicBatchesOnlyWhereTheyAre) {
  const bool claims = (cs_store_caps(store_.get()) & CS_CAP_ATOMIC_BATCH) != 0;
  if (GetParam().atomic_batch) {
    EXPECT_TRUE(claims);
  }
}

TEST_P(ContractTest, ChangesTheVersionWithEveryWrite) {
  ASSERT_EQ(store_.Put("k", "v").status, CS_OK);
  const Reply first = store_.Get("k");
  ASSERT_EQ(store_.Put("k", "w").status, CS_OK);
  const Reply second = store_.Get("k");
  if (first.version != 0 && second.version != 0) {
    EXPECT_NE(first.version, second.version);
  }
}

TEST_P(ContractTest, CopiesTheCallersBytes) {
  std::string key = "key", value = "value";
  ASSERT_EQ(store_.Put(key, value).status, CS_OK);
  std::fill(value.begin(), value.end(), '!');
  EXPECT_EQ(store_.Get("key").value, "value");
  cs_result held;
  ASSERT_EQ(cs_get_sync(store_.get(), "key", 3, nullptr, &held), CS_OK);
  ASSERT_EQ(store_.Put("key", "other").status, CS_OK);
  ASSERT_EQ(store_.Del("key").status, CS_OK);
  EXPECT_EQ(memcmp(held.data, "value", 5), 0) << "a value that is held never changes";
  cs_result_release(&held);
}

TEST_P(ContractTest, KeepsWhatItHoldsOverCloseAndOpen) {
  if (!GetParam().persistent) GTEST_SKIP() << "in memory only";
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(store_.Put("k" + std::to_string(i), "v" + std::to_string(i)).status, CS_OK);
  }
  ASSERT_EQ(store_.Del("k7").status, CS_OK);
  ASSERT_EQ(store_.PutTtl("limited", "v", 3'600'000).status, CS_OK);
  const int64_t expires = store_.Get("limited").expires_at_ms;
  Reopen();
  for (int i = 0; i < 100; ++i) {
    const Reply reply = store_.Get("k" + std::to_string(i));
    if (i == 7) {
      EXPECT_EQ(reply.status, CS_NOT_FOUND);
    } else {
      EXPECT_EQ(reply.value, "v" + std::to_string(i));
    }
  }
  EXPECT_EQ(store_.Get("limited").expires_at_ms, expires);
}

TEST_P(ContractTest, FlushesAndAnswersClosedAfterClose) {
  ASSERT_EQ(store_.Put("k", "v").status, CS_OK);
  EXPECT_EQ(store_.Flush().status, CS_OK);
  ASSERT_EQ(store_.Close().status, CS_OK);
  EXPECT_EQ(store_.Get("k").status, CS_CLOSED);
  EXPECT_EQ(store_.Put("k", "v").status, CS_CLOSED);
  EXPECT_EQ(store_.Del("k").status, CS_CLOSED);
  EXPECT_EQ(store_.Stat("k").status, CS_CLOSED);
  EXPECT_EQ(store_.GetRange("k", 0, 1).status, CS_CLOSED);
  EXPECT_EQ(store_.Flush().status, CS_CLOSED);
  cs_status status;
  store_.GetMany({"k"}, &status);
  EXPECT_EQ(status, CS_CLOSED);
  const std::string value = "v";
  store_.Write({{"k", &value}}, &status);
  EXPECT_EQ(status, CS_CLOSED);
}

}  // namespace
}  // namespace contract
