#include "core/answer.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

Entries Of(std::vector<Status> statuses) {
  Entries entries;
  for (Status& status : statuses) entries.entries.emplace_back().status = std::move(status);
  entries.Summarise("store", "get_many");
  return entries;
}

TEST(AnswerTest, EntriesOfWhichNoneFailedAreOk) {
  EXPECT_TRUE(Of({}).status.ok());
  EXPECT_TRUE(Of({Code::kOk, Code::kNotFound, Code::kExists}).status.ok()) << "a miss is an answer";
}

TEST(AnswerTest, EntriesThatAllFailedEndAsTheFirst) {
  const Entries entries = Of({Failure(Code::kIo, "one"), Failure(Code::kCorrupt, "two")});
  EXPECT_EQ(entries.status.ToString(), "CS_IO: one");
}

TEST(AnswerTest, EntriesOfWhichSomeFailedArePartialWithTheirCauses) {
  const Entries entries =
      Of({Code::kOk, Failure(Code::kIo, "one"), Code::kNotFound, Failure(Code::kCorrupt, "two")});
  EXPECT_EQ(entries.status.ToString(), "CS_PARTIAL: store: get_many: 2 of 4 entries failed");
  ASSERT_EQ(entries.status.error()->causes().size(), 2u);
  EXPECT_EQ(entries.status.error()->causes()[1]->message(), "two");
  EXPECT_FALSE(entries.status.retryable()) << "one of them is not";
  EXPECT_TRUE(Of({Code::kOk, Failure(Code::kIo, "one")}).status.retryable());
}

}  // namespace
}  // namespace chainstore
