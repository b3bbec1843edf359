// Clocks that are wrong, the server's or this machine's (which is the same to the store): it learns
// the difference from the refusal, and signs by the server's clock from then on.
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

#include "support/scripted_s3.h"

namespace chainstore::s3::s3_clock_test {
namespace {

constexpr int64_t kMinute = 60, kDay = 86'400, kYear = 365 * kDay;
constexpr int64_t kSkews[] = {20 * kMinute, -20 * kMinute, kDay, -kDay, 10 * kYear, -10 * kYear};

std::string DateAt(int64_t seconds) {
  const time_t at = seconds;
  tm parts = {};
  char text[64];
  strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &parts));
  return std::string("Date: ") + text + "\r\n";
}

int64_t Now() { return Clock::System().WallMs() / 1000; }

class S3ClockTest : public ScriptedS3Test {
 protected:
  S3ClockTest() { Open({}); }
  // The refusal of a server whose clock is so many seconds ahead.
  static std::string Skewed(int64_t seconds) {
    return Reply(403, ErrorBody("RequestTimeTooSkewed"), DateAt(Now() + seconds));
  }
  // By how many seconds a request was signed ahead of this machine's clock.
  static int64_t SignedAhead(const std::string& request) {
    const size_t at = request.find("\r\nx-amz-date: ");
    tm parts = {};
    EXPECT_NE(strptime(request.c_str() + at + 14, "%Y%m%dT%H%M%SZ", &parts), nullptr) << request;
    return timegm(&parts) - Now();
  }
  void ExpectAhead(size_t index, int64_t seconds) {
    const int64_t ahead = SignedAhead(server_.requests().at(index));
    EXPECT_LE(std::abs(ahead - seconds), 10) << index << ": " << ahead << ", not " << seconds;
  }
};

TEST_F(S3ClockTest, LearnsTheServersFromItsRefusal) {
  for (const int64_t skew : kSkews) {
    Open({});
    const size_t first = Asked();
    Answers(Skewed(skew));
    Answers(Reply(200, "v"));
    Answers(Reply(200, "w"));
    EXPECT_EQ(TextOf(Get()), "v") << skew;
    EXPECT_EQ(TextOf(Get()), "w") << skew;
    ASSERT_EQ(Asked(), first + 3) << "learnt once for all";
    ExpectAhead(first, 0);
    ExpectAhead(first + 1, skew);
    ExpectAhead(first + 2, skew);
  }
}

TEST_F(S3ClockTest, LearnsAgainWhereOneJumpsDuringARetry) {
  for (const int64_t skew : kSkews) {
    Open({});
    const size_t first = Asked();
    Answers(Reply(500, ErrorBody("InternalError")));
    Answers(Skewed(kDay / 2));
    Answers(Skewed(skew));
    Answers(Reply(200, "v"));
    EXPECT_EQ(TextOf(Get()), "v") << skew;
    ASSERT_EQ(Asked(), first + 4);
    ExpectAhead(first + 3, skew);
  }
}

TEST_F(S3ClockTest, LearnsNothingForEver) {
  Answers(Skewed(kDay));
  Answers(Skewed(kDay));
  Status status = Get().status;
  EXPECT_TRUE(status.Is(Code::kDenied)) << "nothing new the second time";
  EXPECT_NE(status.ToString().find("this machine's clock is 1440 min behind the server's"),
            std::string::npos)
      << status.ToString();
  EXPECT_EQ(Asked(), 2u);
  // A clock that never stands still.
  for (int i = 2; i < 20; ++i) Answers(Skewed(i * kDay));
  status = Get().status;
  EXPECT_TRUE(status.Is(Code::kDenied)) << status.ToString();
  EXPECT_EQ(Asked(), 2u + 4);
}

TEST_F(S3ClockTest, LearnsFromTheAnswerToAHeadWhichNamesNoError) {
  Answers("HTTP/1.1 403 X\r\n" + DateAt(Now() + kDay) + "\r\n");
  Answers(Reply(200, "", "x-amz-meta-a: b\r\n"));
  const Read read = Read::Stat();
  const Answer answer = Get(read);
  EXPECT_TRUE(answer.status.ok()) << answer.status.ToString();
  ExpectAhead(1, kDay);
  // Denied by a server whose clock agrees: no question of clocks.
  Answers("HTTP/1.1 403 X\r\n" + DateAt(Now() + kDay) + "\r\n");
  EXPECT_TRUE(Get(read).status.Is(Code::kDenied));
  EXPECT_EQ(Asked(), 3u);
}

TEST_F(S3ClockTest, IsLearntByAllWhoAreUnderWay) {
  constexpr size_t kMany = 64;
  for (const int64_t skew : {20 * kMinute, -10 * kYear}) {
    Open({{"concurrency", std::to_string(kMany)}, {"connections", std::to_string(kMany)}});
    const size_t before = Asked();
    Assembly all(kMany);
    server_.Otherwise([&](const std::string& request) {
      all.Join();
      const int64_t off = SignedAhead(request) - skew;
      const bool refused = off > 15 * kMinute || off < -15 * kMinute;
      return ScriptedAnswer{.bytes = refused ? Skewed(skew) : Reply(200, "v")};
    });
    const Entries entries = GetMany(kMany);
    EXPECT_TRUE(entries.status.ok()) << entries.status.ToString();
    EXPECT_EQ(Asked(), before + 2 * kMany) << "each is sent again once";
    server_.Otherwise(ScriptedAnswer{});
  }
}

}  // namespace
}  // namespace chainstore::s3::s3_clock_test
