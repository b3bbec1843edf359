#include "managers/lru/recency_log.h"

#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

class RecencyLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<RecencyLog> Open() {
    auto opened = RecencyLog::Open(directory_ / "a/recency", "store");
    EXPECT_TRUE(opened.ok()) << opened.status().ToString();
    return opened.ok() ? std::move(*opened) : nullptr;
  }
  // What a fresh owner reads.
  std::vector<uint64_t> Reload(Code expected = Code::kOk) {
    std::vector<uint64_t> fingerprints;
    const Status status = Open()->Load(&fingerprints);
    EXPECT_EQ(status.code(), expected) << status.ToString();
    return fingerprints;
  }
  // The one log file of the directory.
  std::string LogPath() {
    char id[32];
    snprintf(id, sizeof id, "%016llx.log",
             static_cast<unsigned long long>(KeyFingerprint("store")));
    return directory_ / ("a/recency/" + std::string(id));
  }
  static std::vector<uint64_t> Numbers(uint64_t from, uint64_t count) {
    std::vector<uint64_t> numbers;
    for (uint64_t i = 0; i < count; ++i) numbers.push_back(from + i);
    return numbers;
  }

  TemporaryDirectory directory_;
};

TEST_F(RecencyLogTest, GivesBackWhatWasAppendedInOrder) {
  {
    auto log = Open();
    std::vector<uint64_t> none;
    ASSERT_TRUE(log->Load(&none).ok());
    EXPECT_TRUE(none.empty());
    ASSERT_TRUE(log->Append(Numbers(1, 3)).ok());
    ASSERT_TRUE(log->Append(Numbers(100000, 70000)).ok());
    EXPECT_EQ(log->size(), 70003u);
  }
  const std::vector<uint64_t> loaded = Reload();
  ASSERT_EQ(loaded.size(), 70003u);
  EXPECT_EQ(loaded[0], 1u);
  EXPECT_EQ(loaded.back(), 169999u);
}

TEST_F(RecencyLogTest, ARewriteReplacesAllAndIsAppendedTo) {
  {
    auto log = Open();
    ASSERT_TRUE(log->Append(Numbers(1, 10)).ok());
    ASSERT_TRUE(log->Rewrite(Numbers(5, 2)).ok());
    EXPECT_EQ(log->size(), 2u);
    ASSERT_TRUE(log->Append(Numbers(9, 1)).ok());
  }
  EXPECT_EQ(Reload(), (std::vector<uint64_t>{5, 6, 9}));
}

TEST_F(RecencyLogTest, HasTheFormThatIsWrittenDown) {
  ASSERT_TRUE(Open()->Append(std::vector<uint64_t>{KeyFingerprint("abc")}).ok());
  const std::string bytes = ReadTestFile(LogPath());
  ASSERT_EQ(bytes.size(), 16u + 8 + 8);
  EXPECT_EQ(bytes.substr(0, 12), std::string("CSRECENT\1\0\0\0", 12));
  EXPECT_EQ(bytes.substr(16, 4), std::string("\1\0\0\0", 4));
  // XXH64 of "abc" with seed 0 is 0x44BC2CF5AD770999 (the algorithm's own test vector).
  EXPECT_EQ(bytes.substr(24), std::string("\x99\x09\x77\xAD\xF5\x2C\xBC\x44", 8));
}

TEST_F(RecencyLogTest, ATornEndIsReportedCutOffAndWrittenOver) {
  {
    auto log = Open();
    ASSERT_TRUE(log->Append(Numbers(1, 3)).ok());
    ASSERT_TRUE(log->Append(Numbers(10, 3)).ok());
  }
  const std::string whole = ReadTestFile(LogPath());
  const size_t first = 16 + 8 + 24;
  for (size_t size = first + 1; size < whole.size(); ++size) {
    WriteTestFile(LogPath(), whole.substr(0, size));
    auto log = Open();
    std::vector<uint64_t> loaded;
    const Status status = log->Load(&loaded);
    EXPECT_EQ(status.code(), Code::kCorrupt);
    EXPECT_EQ(loaded, Numbers(1, 3)) << size;
    ASSERT_TRUE(log->Append(Numbers(20, 1)).ok());
    log = nullptr;
    EXPECT_EQ(Reload(), (std::vector<uint64_t>{1, 2, 3, 20})) << size;
  }
}

TEST_F(RecencyLogTest, AnyChangedByteIsFoundAndNothingWrongIsRead) {
  {
    auto log = Open();
    ASSERT_TRUE(log->Append(Numbers(1, 2)).ok());
    ASSERT_TRUE(log->Append(Numbers(10, 2)).ok());
  }
  const std::string whole = ReadTestFile(LogPath());
  for (size_t at = 0; at < whole.size(); ++at) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x40);
    WriteTestFile(LogPath(), damaged);
    const std::vector<uint64_t> loaded = Reload(Code::kCorrupt);
    const size_t sound = at < 16 ? 0 : at < 16 + 24 ? 0 : 2;
    EXPECT_EQ(loaded.size(), sound) << at;
  }
}

TEST_F(RecencyLogTest, WhatIsNoLogAtAllIsReplacedByTheNextAppend) {
  for (const std::string& content :
       {std::string(), std::string("x"), std::string(100, '\0'), std::string(1000, '\xff')}) {
    {
      Open();
    }
    WriteTestFile(LogPath(), content);
    auto log = Open();
    std::vector<uint64_t> loaded;
    EXPECT_EQ(log->Load(&loaded).code(), Code::kCorrupt);
    ASSERT_TRUE(log->Append(Numbers(7, 1)).ok());
    log = nullptr;
    EXPECT_EQ(Reload(), Numbers(7, 1));
  }
}

TEST_F(RecencyLogTest, HasOneOwnerAtATime) {
  auto log = Open();
  EXPECT_EQ(RecencyLog::Open(directory_ / "a/recency", "store").status().code(), Code::kBusy);
  EXPECT_TRUE(RecencyLog::Open(directory_ / "a/recency", "another").ok());
  log = nullptr;
  EXPECT_TRUE(RecencyLog::Open(directory_ / "a/recency", "store").ok());
}

TEST_F(RecencyLogTest, SaysWhatKeepsItFromBeingMade) {
  WriteTestFile(directory_ / "file", "");
  const auto opened = RecencyLog::Open(directory_ / "file/recency", "store");
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.status().ToString().find("file"), std::string::npos);
  const int exit_code = RunInChild([&] {
    if (setuid(65534) != 0) return 2;
    const auto denied = RecencyLog::Open("/proc/recency", "store");
    return denied.ok() ? 1 : 0;
  });
  EXPECT_EQ(exit_code, getuid() == 0 ? 0 : 2);
}

}  // namespace
}  // namespace chainstore
