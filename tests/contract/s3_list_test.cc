// Many keys on a real server: pages of a list, and requests that delete a thousand each. As many as
// CHAINSTORE_LISTED_KEYS says (tests/s3/campaign.sh: 10,000), else 1,500.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

size_t Count() {
  const char* const wanted = getenv("CHAINSTORE_LISTED_KEYS");
  return wanted ? static_cast<size_t>(atoll(wanted)) : 1'500;
}

constexpr size_t kBatch = 1'000;

std::string NumberedKey(size_t number) {
  // Some of them in need of an escape, in lists too.
  return "list/" + std::to_string(100'000 + number) + (number % 10 == 0 ? " <&>+%" : "");
}

void WriteAll(Client& store, const std::string* value) {
  for (size_t first = 0; first < Count(); first += kBatch) {
    std::vector<std::pair<std::string, const std::string*>> ops;
    for (size_t i = first; i < std::min(first + kBatch, Count()); ++i)
      ops.emplace_back(NumberedKey(i), value);
    cs_status status = CS_IO;
    store.Write(ops, &status);
    ASSERT_EQ(status, CS_OK) << "from " << first;
  }
}

TEST(Lists, HoldManyKeysInOrderOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  // Without times to live a scan of keys asks for none of them.
  Client store = S3With("lists", {{"ttl", "false"}, {"concurrency", "32"}});
  const std::string value = "v";
  WriteAll(store, &value);
  std::vector<std::string> expected;
  for (size_t i = 0; i < Count(); ++i) expected.push_back(NumberedKey(i));
  for (const bool reverse : {false, true}) {
    cs_range range = CS_RANGE_INIT;
    range.flags = CS_SCAN_KEYS_ONLY | (reverse ? uint32_t{CS_SCAN_REVERSE} : 0);
    std::vector<std::string> seen;
    for (const ReplyEntry& entry : store.Scan(range)) seen.push_back(entry.key);
    EXPECT_TRUE(seen == expected) << seen.size() << " keys, or not in order";
    std::reverse(expected.begin(), expected.end());
  }
  WriteAll(store, nullptr);
  EXPECT_TRUE(store.Keys().empty());
  EXPECT_TRUE(store.Close().ok());
}

}  // namespace
}  // namespace contract
