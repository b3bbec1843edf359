// The seam of the journal: what the queue does while a commit is under way. The journal here is the
// test's own; a build without one commits at once.
#include "managers/write_behind/journal.h"

#include <gtest/gtest.h>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

using Lines = std::vector<std::string>;

// What the test sees of its journal; it outlives the queue, which owns the journal.
struct Notes {
  struct Commit {
    JournalRecord record;
    Done<Status> committed;
  };
  std::deque<Commit> commits;
  Lines marks;
  bool hold = true;

  void Commit1(Status status = {}) {
    Done<Status> committed = std::move(commits.front().committed);
    commits.pop_front();
    committed(std::move(status));
  }
};

class TestJournal final : public Journal {
 public:
  explicit TestJournal(std::shared_ptr<Notes> notes) : notes_(std::move(notes)) {}
  bool commits_at_once() const noexcept override { return false; }
  void Append(JournalRecord record, Done<Status> committed) noexcept override {
    if (!notes_->hold) return committed(Status());
    notes_->commits.push_back({std::move(record), std::move(committed)});
  }
  void MarkDone(Bytes key, uint64_t sequence) noexcept override {
    notes_->marks.push_back("done " + std::string(key) + " " + std::to_string(sequence));
  }
  void MarkParked(Bytes key, uint64_t sequence) noexcept override {
    notes_->marks.push_back("parked " + std::string(key) + " " + std::to_string(sequence));
  }

 private:
  const std::shared_ptr<Notes> notes_;
};

class JournalTest : public SimTest {
 protected:
  void TearDown() override {
    while (!notes->commits.empty()) notes->Commit1();
    SimTest::TearDown();
  }
  void OpenWithJournal() { Open(std::make_unique<TestJournal>(notes)); }
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
};

TEST_F(JournalTest, NothingIsReadDeliveredOrAcknowledgedBeforeItsCommit) {
  remote->data["k"] = {"old", 0};
  OpenWithJournal();
  const Ending put = Put("k", "new", Later(), clock->wall_ms + 1000);
  clock->RunAll();
  ASSERT_EQ(notes->commits.size(), 1u);
  const JournalRecord& record = notes->commits[0].record;
  EXPECT_EQ(record.key.bytes(), "k");
  EXPECT_EQ(record.value->bytes(), "new");
  EXPECT_EQ(record.expires_at_ms, clock->wall_ms + 1000);
  EXPECT_NE(record.sequence, 0u);
  EXPECT_FALSE(*put);
  EXPECT_EQ(Read1("k"), "old");
  EXPECT_TRUE(remote->log.empty());
  EXPECT_EQ(store->counters().entries, 1u) << "room is taken before the commit";
  EXPECT_EQ(store->counters().undelivered, 0u);
  notes->Commit1();
  EXPECT_EQ(Read1("k"), "new");
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kOk);
  EXPECT_EQ(remote->ValueOf("k"), "new");
  EXPECT_EQ(notes->marks, (Lines{"done k 1"}));
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(JournalTest, WritesOfAKeyCommitOneAfterTheOther) {
  OpenWithJournal();
  const Ending one = Put("k", "1"), two = Del("k"), other = Put("other", "1");
  clock->RunAll();
  ASSERT_EQ(notes->commits.size(), 2u);
  EXPECT_EQ(notes->commits[1].record.key.bytes(), "other");
  notes->Commit1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(one), Code::kOk);
  EXPECT_FALSE(*two);
  ASSERT_EQ(notes->commits.size(), 2u);
  EXPECT_FALSE(notes->commits[1].record.value);
  EXPECT_EQ(notes->commits[1].record.sequence, 3u);
  notes->Commit1();
  notes->Commit1();
  clock->RunAll();
  EXPECT_EQ(CodeOf(two), Code::kOk);
  EXPECT_EQ(CodeOf(other), Code::kOk);
  EXPECT_EQ(remote->ValueOf("k"), "(none)");
}

TEST_F(JournalTest, AFailedCommitFailsTheWriteAndGivesItsRoomBack) {
  OpenWithJournal();
  const Ending put = Put("k", "1");
  notes->Commit1(Failed(Code::kIo));
  clock->RunAll();
  EXPECT_EQ(CodeOf(put), Code::kIo);
  EXPECT_EQ(Read1("k"), "(none)");
  EXPECT_TRUE(remote->log.empty());
  EXPECT_EQ(store->counters().bytes, 0u);
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(JournalTest, OlderWritesGoOnWhileANewerOneCommits) {
  notes->hold = false;
  remote->hold = true;
  OpenWithJournal();
  Put("k", "1");
  clock->RunAll();
  notes->hold = true;
  Put("k", "2");
  EXPECT_EQ(Read1("k"), "1");
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "1");
  EXPECT_EQ(store->counters().keys_known, 1u) << "its commit is still to come";
  notes->Commit1();
  remote->hold = false;
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "2");
  EXPECT_EQ(notes->marks, (Lines{"done k 1", "done k 2"}));
}

TEST_F(JournalTest, AParkedWriteIsMarked) {
  notes->hold = false;
  FailAll(Code::kTooLarge);
  OpenWithJournal();
  Put("k", "1");
  clock->RunAll();
  EXPECT_EQ(notes->marks, (Lines{"parked k 1"}));
}

}  // namespace
}  // namespace chainstore::behind
