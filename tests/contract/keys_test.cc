// Keys: any bytes, mapped injectively, listed in the order of their bytes.
#include <algorithm>
#include <random>
#include <set>

#include "contract/s3_subject.h"

namespace contract {
namespace {

std::vector<std::string> HostileKeys() {
  using namespace std::string_literals;
  std::vector<std::string> keys = {"a",
                                   "a/b",
                                   "a/b/c",
                                   "a/",
                                   "/a",
                                   "/",
                                   "//",
                                   "a//b",
                                   ".",
                                   "..",
                                   "../x",
                                   "a/../b",
                                   "./a",
                                   "a/.",
                                   "a/..",
                                   "%",
                                   "%2F",
                                   "%%",
                                   "a%b",
                                   "A",
                                   "B",
                                   "b",
                                   " ",
                                   "a b",
                                   "~",
                                   "a~",
                                   "a/%~",
                                   "%~",
                                   ".chainstore",
                                   ".chainstore/x",
                                   "x/.chainstore",
                                   "\0"s,
                                   "a\0b"s,
                                   "\xff\xff",
                                   "\n",
                                   "\\",
                                   "a\\b",
                                   "ä",
                                   "a+b",
                                   "<&>",
                                   "&lt;\"'",
                                   "*",
                                   "?",
                                   "|",
                                   "con",
                                   "lock.mdb",
                                   "CURRENT",
                                   "data.mdb",
                                   "a.",
                                   "a "};
  keys.push_back(std::string(255, 'x'));
  keys.push_back(std::string(256, 'x'));
  keys.push_back("d/" + std::string(300, '%'));
  keys.push_back(std::string(511, 'y'));
  keys.push_back(std::string(512, 'y'));
  keys.push_back(std::string(1023, 'y') + "a");
  keys.push_back(std::string(1023, 'y') + "b");
  keys.push_back(std::string(1024, '/'));
  keys.push_back(std::string(1024, '\xff'));
  return keys;
}

// Some S3 servers cannot hold "a" and "a/b" both: keys are files and folders there.
bool CannotHoldKeysBelowKeys(const Subject& subject) {
  return subject.name.find("S3") != std::string::npos && HasQuirk("key-below-key");
}

// What they can hold. (Below .chainstore are the keys that need an escape.)
bool IsFileName(const std::string& key) {
  return key.find('/') == std::string::npos && key.size() <= 255 && key != "." && key != ".." &&
         key != ".chainstore";
}

TEST_P(ContractTest, KeepsEveryKeyApart) {
  std::vector<std::string> keys = HostileKeys();
  if (CannotHoldKeysBelowKeys(GetParam())) {
    std::erase_if(keys, [](const std::string& key) { return !IsFileName(key); });
  }
  for (const std::string& key : keys) {
    const Reply reply = store_.Put(key, "of " + key);
    ASSERT_EQ(reply.status, CS_OK) << reply.message << " for " << ::testing::PrintToString(key);
  }
  for (const std::string& key : keys) {
    EXPECT_EQ(store_.Get(key).value, "of " + key) << ::testing::PrintToString(key);
  }
  std::vector<std::string> sorted = keys;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(store_.Keys(), sorted);
  std::set<std::string> left(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    ASSERT_EQ(store_.Del(key).status, CS_OK);
    left.erase(key);
    EXPECT_EQ(store_.Get(key).status, CS_NOT_FOUND);
  }
  EXPECT_TRUE(store_.Keys().empty());
}

TEST_P(ContractTest, RefusesKeysThatAreNoKeys) {
  for (const size_t size : {size_t{0}, size_t{1025}, size_t{100'000}}) {
    const std::string key(size, 'k');
    EXPECT_EQ(store_.Put(key, "v").status, CS_INVALID) << size;
    EXPECT_EQ(store_.Get(key).status, CS_INVALID) << size;
    EXPECT_EQ(store_.Del(key).status, CS_INVALID) << size;
    EXPECT_EQ(store_.Stat(key).status, CS_INVALID) << size;
  }
  EXPECT_TRUE(store_.Keys().empty());
}

std::vector<std::string> KeysOf(const std::vector<ReplyEntry>& entries) {
  std::vector<std::string> keys;
  for (const ReplyEntry& entry : entries) keys.push_back(entry.key);
  return keys;
}

TEST_P(ContractTest, ScansAnyRangeInBothDirectionsInPagesOfAnySize) {
  std::minstd_rand random(7);
  std::set<std::string> all;
  std::string letters("/ab\0\xff", 5);
  if (CannotHoldKeysBelowKeys(GetParam())) letters[0] = '~';
  for (int i = 0; i < 60; ++i) {
    std::string key;
    for (size_t size = 1 + random() % 6; key.size() < size;) key += letters[random() % 5];
    ASSERT_EQ(store_.Put(key, key).status, CS_OK);
    all.insert(key);
  }
  for (int round = 0; round < 40; ++round) {
    const auto pick = [&]() -> std::string {
      std::string key;
      for (size_t size = random() % 4; key.size() < size;) key += letters[random() % 5];
      return key;
    };
    const std::string prefix = round % 3 ? "" : pick(), start = round % 2 ? "" : pick(),
                      end = round % 4 ? "" : pick();
    cs_range range = CS_RANGE_INIT;
    range.prefix = prefix.data();
    range.prefix_size = prefix.size();
    range.start = start.data();
    range.start_size = start.size();
    range.end = end.data();
    range.end_size = end.size();
    range.page_size = static_cast<uint32_t>(random() % 8);
    range.flags = round % 5 == 0 ? uint32_t{CS_SCAN_REVERSE} : 0;
    std::vector<std::string> expected;
    for (const std::string& key : all) {
      const bool in = key.starts_with(prefix) && key >= start && (end.empty() || key < end);
      if (in) expected.push_back(key);
    }
    if (range.flags) std::reverse(expected.begin(), expected.end());
    const std::vector<ReplyEntry> entries = store_.Scan(range);
    ASSERT_EQ(KeysOf(entries), expected) << "round " << round;
    for (const ReplyEntry& entry : entries) EXPECT_EQ(entry.reply.value, entry.key);
  }
}

TEST_P(ContractTest, ScansKeysWithoutValuesAndHidesTheExpired) {
  ASSERT_EQ(store_.Put("a", "12345").status, CS_OK);
  ASSERT_EQ(store_.PutTtl("b", "v", 1).status, CS_OK);
  while (store_.Get("b").status == CS_OK) {
  }
  cs_range range = CS_RANGE_INIT;
  range.flags = CS_SCAN_KEYS_ONLY;
  const std::vector<ReplyEntry> entries = store_.Scan(range);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].key, "a");
  EXPECT_EQ(entries[0].reply.value, "");
  EXPECT_EQ(entries[0].reply.total_size, 5u);
}

}  // namespace
}  // namespace contract
