// This machine's clock is wrong, and a real server refuses what is signed by it: the store learns
// the difference, whatever it is asked first. tests/s3/run.sh runs this under faketime.
#include <cstdlib>
#include <ctime>
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

constexpr size_t kMany = 64;

std::vector<std::string> ManyKeys() {
  std::vector<std::string> keys;
  for (size_t i = 0; i < kMany; ++i) keys.push_back("many-" + std::to_string(100 + i));
  return keys;
}

// One that has learnt nothing yet.
Client Fresh() { return S3With("clock", {{"concurrency", std::to_string(kMany)}}); }

TEST(WrongClock, IsLearntByWhateverComesFirstFromS3) {
  const char* const right = getenv("CHAINSTORE_RIGHT_TIME");
  if (!HasS3() || !right) GTEST_SKIP() << "needs a server, and a clock that is wrong";
  ASSERT_GT(std::abs(time(nullptr) - atoll(right)), 16 * 60) << "the clock is right";
  const Reply put = Fresh().Put("k", "value");
  ASSERT_TRUE(put.ok()) << put.message;
  EXPECT_EQ(Fresh().Get("k").value, "value");
  EXPECT_EQ(Fresh().GetRange("k", 1, 3).value, "alu");
  EXPECT_EQ(Fresh().Stat("k").total_size, 5u) << "a HEAD's refusal says nothing of clocks";
  EXPECT_EQ(Fresh().Keys(), std::vector<std::string>{"k"});
  EXPECT_EQ(Fresh().PutIfAbsent("k", "other").status, CS_EXISTS);
  EXPECT_TRUE(Fresh().Del("k").ok());
  const std::string value = "v";
  std::vector<std::pair<std::string, const std::string*>> puts, dels;
  for (const std::string& key : ManyKeys()) {
    puts.emplace_back(key, &value);
    dels.emplace_back(key, nullptr);
  }
  cs_status status = CS_IO;
  Fresh().Write(puts, &status);
  EXPECT_EQ(status, CS_OK) << kMany << " puts at once";
  for (const ReplyEntry& entry : Fresh().GetMany(ManyKeys())) EXPECT_EQ(entry.reply.value, "v");
  Fresh().Write(dels, &status);
  EXPECT_EQ(status, CS_OK);
  const std::string large = LargeValue(size_t{17} << 20);
  EXPECT_TRUE(Fresh().Put("large", large).ok());
  EXPECT_TRUE(Fresh().Get("large").value == large);
  EXPECT_TRUE(Fresh().Del("large").ok());
}

}  // namespace
}  // namespace contract
