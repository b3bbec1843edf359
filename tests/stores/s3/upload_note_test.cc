#include "stores/s3/upload_note.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/sync_log.h"
#include "support/temporary_directory.h"

namespace chainstore::s3::upload_note_test {
namespace {

const NotedUpload kUpload = {"http://h:1/b", "a\nb%", "id/+ 1"};

TEST(UploadNoteTest, ReadsBackWhatItSays) {
  NotedUpload back;
  ASSERT_TRUE(ParseNote(NoteText(kUpload), &back));
  EXPECT_EQ(back, kUpload);
}

TEST(UploadNoteTest, WhatWasCutIsNone) {
  const std::string text = NoteText(kUpload);
  NotedUpload back;
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseNote(Bytes(text).substr(0, size), &back)) << size;
  }
  EXPECT_FALSE(ParseNote(text + "x", &back));
  EXPECT_FALSE(ParseNote("a\n\nb\n", &back));
}

class UploadNotesTest : public ::testing::Test {
 protected:
  size_t Files() const {
    size_t count = 0;
    for ([[maybe_unused]] const auto& file : std::filesystem::directory_iterator(at_)) ++count;
    return count;
  }
  TemporaryDirectory directory_;
  const std::string at_ = directory_.path();
};

TEST_F(UploadNotesTest, OneThatIsHeldIsNobodyElses) {
  auto note = UploadNote::Write(at_, kUpload);
  ASSERT_TRUE(note.ok()) << note.status().ToString();
  EXPECT_TRUE(UploadNote::TakeLeft(at_, kUpload.bucket).empty());
  (*note)->Forget();
  EXPECT_EQ(Files(), 0u);
}

TEST_F(UploadNotesTest, OneThatIsLeftIsTakenOnceByWhoeverHasTheBucket) {
  ASSERT_TRUE(UploadNote::Write(at_, kUpload).ok());  // and dropped, as a crash drops it
  EXPECT_TRUE(UploadNote::TakeLeft(at_, "http://h:1/other").empty());
  auto left = UploadNote::TakeLeft(at_, kUpload.bucket);
  ASSERT_EQ(left.size(), 1u);
  EXPECT_EQ(left[0]->upload(), kUpload);
  EXPECT_TRUE(UploadNote::TakeLeft(at_, kUpload.bucket).empty()) << "it is being seen to";
  left.clear();
  left = UploadNote::TakeLeft(at_, kUpload.bucket);
  ASSERT_EQ(left.size(), 1u) << "that failed: the next one may try";
  left[0]->Forget();
  EXPECT_EQ(Files(), 0u);
}

TEST_F(UploadNotesTest, OtherFilesAreLeftAlone) {
  std::ofstream(at_ + "/mine.txt") << NoteText(kUpload);
  std::ofstream(at_ + "/cut.upload") << "http";
  EXPECT_TRUE(UploadNote::TakeLeft(at_, kUpload.bucket).empty());
  EXPECT_EQ(Files(), 2u);
}

TEST_F(UploadNotesTest, IsOnDiskWhenItIsWritten) {
  SyncLog synced;
  ASSERT_TRUE(UploadNote::Write(at_, kUpload).ok());
  const std::vector<std::string> paths = synced.Take();
  ASSERT_EQ(paths.size(), 2u);
  EXPECT_TRUE(paths[0].starts_with(at_ + "/")) << paths[0] << ": what it says, first";
  EXPECT_EQ(paths[1], at_) << "then the name by which it is found";
}

TEST_F(UploadNotesTest, ADirectoryThatIsNotThereIsTold) {
  const auto note = UploadNote::Write(at_ + "/none", kUpload);
  ASSERT_FALSE(note.ok());
  EXPECT_NE(note.status().ToString().find("upload_notes"), std::string::npos);
  EXPECT_TRUE(UploadNote::TakeLeft(at_ + "/none", kUpload.bucket).empty());
}

}  // namespace
}  // namespace chainstore::s3::upload_note_test
