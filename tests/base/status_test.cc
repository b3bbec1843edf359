#include "base/status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <set>

#include "base/result.h"

namespace chainstore {
namespace {

TEST(StatusTest, AnAnswerHasNoErrorAndAFailureHasOne) {
  EXPECT_TRUE(Status().ok());
  const Status missing = Code::kNotFound;
  EXPECT_FALSE(missing.ok());
  EXPECT_FALSE(missing.failed()) << "a miss is an answer";
  EXPECT_EQ(missing.error(), nullptr);
  EXPECT_EQ(missing.ToString(), "CS_NOT_FOUND");
  const Status failed = Failure(Code::kIo, "cannot read");
  EXPECT_TRUE(failed.failed());
  ASSERT_NE(failed.error(), nullptr);
  EXPECT_EQ(failed.error()->code(), Code::kIo);
  EXPECT_EQ(failed.ToString(), "CS_IO: cannot read");
}

TEST(StatusTest, TheSignIsTheMeaningAndEveryCodeHasItsName) {
  std::set<std::string> names;
  for (int number = -16; number <= 5; ++number) {
    const auto code = static_cast<Code>(number);
    EXPECT_EQ(Status(code).failed(), number < 0);
    names.insert(CodeName(code));
  }
  EXPECT_EQ(names.size(), 22u) << "all of them, each its own";
  EXPECT_EQ(names.count("CS_UNKNOWN"), 0u);
  EXPECT_STREQ(CodeName(static_cast<Code>(99)), "CS_UNKNOWN");
  EXPECT_STREQ(CodeName(Code::kNoSpace), "CS_NO_SPACE");
}

TEST(StatusTest, AMessageNamesStoreOperationCauseAndWayOut) {
  const Status status = Failure(Code::kNoSpace, "cannot write")
                            .Errno(ENOSPC)
                            .Path("/data/x")
                            .Hint("make room")
                            .Op("put")
                            .Store("files:/data")
                            .KeyIs("secret key");
  EXPECT_EQ(status.error()->message(), "files:/data: put: cannot write: " +
                                           std::string(strerror(ENOSPC)) + " (/data/x); make room");
  EXPECT_EQ(*status.error()->FindDetail("store"), "files:/data");
  EXPECT_EQ(*status.error()->FindDetail("operation"), "put");
  EXPECT_EQ(*status.error()->FindDetail("errno"), std::to_string(ENOSPC));
  EXPECT_EQ(*status.error()->FindDetail("path"), "/data/x");
  EXPECT_EQ(*status.error()->FindDetail("hint"), "make room");
  EXPECT_EQ(*status.error()->FindDetail("key"), "secret key") << "only there";
  EXPECT_EQ(status.error()->FindDetail("none"), nullptr);
}

TEST(StatusTest, OnlyWhatMayPassIsRetryable) {
  for (const Code code :
       {Code::kTimeout, Code::kBusy, Code::kIo, Code::kNoSpace, Code::kNoMemory}) {
    EXPECT_TRUE(Status(Failure(code, "x")).retryable()) << CodeName(code);
  }
  for (const Code code : {Code::kInvalid, Code::kDenied, Code::kCorrupt, Code::kClosed}) {
    EXPECT_FALSE(Status(Failure(code, "x")).retryable()) << CodeName(code);
  }
  EXPECT_FALSE(Status(Failure(Code::kIo, "x").Retryable(false)).retryable());
  EXPECT_FALSE(Status(Code::kNotFound).retryable());
}

TEST(StatusTest, KeepsItsCausesAndIsSharedNotCopied) {
  const Status first = Failure(Code::kIo, "one");
  const Status all = Failure(Code::kPartial, "two of three").Cause(first).Cause(Code::kNotFound);
  ASSERT_EQ(all.error()->causes().size(), 1u) << "an answer is no cause";
  EXPECT_EQ(all.error()->causes()[0].get(), first.error());
  const Status copy = all;
  EXPECT_EQ(copy.error(), all.error());
}

TEST(StatusTest, AnErrnoMeansToACallerWhatItMeans) {
  EXPECT_EQ(CodeOfErrno(EACCES), Code::kDenied);
  EXPECT_EQ(CodeOfErrno(EPERM), Code::kDenied);
  EXPECT_EQ(CodeOfErrno(EROFS), Code::kDenied);
  EXPECT_EQ(CodeOfErrno(ENOSPC), Code::kNoSpace);
  EXPECT_EQ(CodeOfErrno(EDQUOT), Code::kNoSpace);
  EXPECT_EQ(CodeOfErrno(ENOMEM), Code::kNoMemory);
  EXPECT_EQ(CodeOfErrno(EFBIG), Code::kTooLarge);
  EXPECT_EQ(CodeOfErrno(EIO), Code::kIo);
}

TEST(ResultTest, IsAValueOrTheFailureThatSaysWhyThereIsNone) {
  const Result<int> good = 5;
  EXPECT_TRUE(good.ok());
  EXPECT_EQ(*good, 5);
  EXPECT_TRUE(good.status().ok());
  const Result<int> bad = Failure(Code::kInvalid, "no number").Store("s");
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().ToString(), "CS_INVALID: s: no number");
  Result<std::unique_ptr<int>> moved = std::make_unique<int>(7);
  EXPECT_EQ(**moved, 7);
  const std::unique_ptr<int> taken = std::move(*moved);
  EXPECT_EQ(*taken, 7);
}

}  // namespace
}  // namespace chainstore
