// Large values against a scripted server: what goes over the wire for each part, and what is left
// on the server when something fails: nothing. One part at a time, so that the script has an order.
#include "stores/s3/multipart_upload.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "base/checksum.h"
#include "stores/s3/digest.h"
#include "support/scripted_s3.h"
#include "support/temporary_directory.h"

namespace chainstore::s3::multipart_upload_test {
namespace {

constexpr size_t kMiB = size_t{1} << 20;

TEST(PartSizeTest, GrowsToStayUnder10000Parts) {
  EXPECT_EQ(PartSize(16 * kMiB, 8 * kMiB), 8 * kMiB);
  const uint64_t most = 9'999 * 8 * uint64_t{kMiB};
  EXPECT_EQ(PartSize(most, 8 * kMiB), 8 * kMiB);
  EXPECT_EQ(PartSize(most + 1, 8 * kMiB), 9 * kMiB);
  const uint64_t largest = uint64_t{5} << 40;
  const uint64_t part = PartSize(largest, 8 * kMiB);
  EXPECT_LT((largest + part - 1) / part, 10'000u);
}

class MultipartUploadTest : public ScriptedS3Test {
 protected:
  MultipartUploadTest() { OpenInParts("3", "1"); }
  void OpenInParts(const char* attempts, const char* part_concurrency) {
    Open({{"multipart_threshold", "5MiB"},
          {"part_size", "5MiB"},
          {"attempts", attempts},
          {"part_concurrency", part_concurrency},
          {"acl", "private"}});
  }
  void Started() {
    Answers(Reply(200,
                  "<InitiateMultipartUploadResult><UploadId>u/1</UploadId>"
                  "</InitiateMultipartUploadResult>"));
  }
  void TakesParts(int count) {
    for (int i = 0; i < count; ++i) Answers(Reply(200));
  }
  void Completed() {
    Answers(Reply(200,
                  "<CompleteMultipartUploadResult><ETag>&quot;abc-2&quot;</ETag>"
                  "</CompleteMultipartUploadResult>"));
  }
  static std::string TwoParts() { return std::string(5 * kMiB, 'a') + "the rest"; }
  // The last request is the abort, and there is exactly one.
  void ExpectAborted(size_t requests) {
    ASSERT_EQ(Asked(), requests);
    EXPECT_EQ(Line(requests - 1), "DELETE /bucket/k?uploadId=u%2F1 HTTP/1.1");
    for (size_t i = 0; i + 1 < requests; ++i) EXPECT_NE(Line(i).substr(0, 6), "DELETE");
  }
};

TEST_F(MultipartUploadTest, SendsEachPartAndCompletes) {
  const std::string value = TwoParts();
  Started();
  TakesParts(2);
  Completed();
  ASSERT_EQ(Put(*store_, "k", value), Code::kOk);
  ASSERT_EQ(Asked(), 4u);
  EXPECT_EQ(Line(0), "POST /bucket/k?uploads= HTTP/1.1");
  EXPECT_EQ(Header(0, "Content-Length"), "0");
  EXPECT_EQ(Header(0, "x-amz-acl"), "private");
  EXPECT_NE(Header(0, "x-amz-meta-cs-crc32c"), "(none)") << "the checksum of all of it";
  EXPECT_EQ(Header(0, "x-amz-checksum-algorithm"), "CRC32C");
  EXPECT_EQ(Line(1), "PUT /bucket/k?partNumber=1&uploadId=u%2F1 HTTP/1.1");
  EXPECT_EQ(Line(2), "PUT /bucket/k?partNumber=2&uploadId=u%2F1 HTTP/1.1");
  EXPECT_TRUE(Body(1) == value.substr(0, 5 * kMiB));
  EXPECT_EQ(Body(2), "the rest");
  EXPECT_EQ(Header(2, "x-amz-checksum-crc32c"), Crc32cBase64(Crc32c("the rest")));
  EXPECT_EQ(Header(2, "x-amz-acl"), "(none)") << "belongs to the object, not to a part";
  EXPECT_EQ(Line(3), "POST /bucket/k?uploadId=u%2F1 HTTP/1.1");
  EXPECT_NE(
      Body(3).find("<Part><PartNumber>2</PartNumber><ETag>&quot;e&quot;</ETag><ChecksumCRC32C>" +
                   Crc32cBase64(Crc32c("the rest"))),
      std::string::npos)
      << Body(3);
}

TEST_F(MultipartUploadTest, ASmallerOrConditionalValueIsOnePut) {
  Answers(Reply(200));
  EXPECT_EQ(Put(*store_, "k", std::string(5 * kMiB - 1, 'a')), Code::kOk);
  Answers(Reply(200));
  EXPECT_EQ(Put(*store_, "k", TwoParts(), Call::kIfAbsent), Code::kOk);
  EXPECT_EQ(Asked(), 2u);
  EXPECT_EQ(Header(1, "if-none-match"), "*");
}

TEST_F(MultipartUploadTest, APartIsTriedAgainAlone) {
  Started();
  Answers(Reply(500, ErrorBody("InternalError")));
  TakesParts(2);
  Completed();
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kOk);
  EXPECT_EQ(Line(2), Line(1));
  EXPECT_EQ(Asked(), 5u);
}

TEST_F(MultipartUploadTest, ARefusedPartAbortsAndSendsNoOther) {
  Started();
  Answers(Reply(403, ErrorBody("AccessDenied")));
  Answers(Reply(204));
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kDenied);
  ExpectAborted(3);
}

TEST_F(MultipartUploadTest, ACompletionThatFailsInsideIts200IsTriedAgainThenAborted) {
  Started();
  TakesParts(2);
  Answers(Reply(200, ErrorBody("InternalError")));
  Completed();
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kOk);
  EXPECT_EQ(Asked(), 5u);
  OpenInParts("1", "1");
  Started();
  TakesParts(2);
  Answers(Reply(200, ErrorBody("InternalError")));
  Answers(Reply(204));
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kIo);
  EXPECT_EQ(Line(Asked() - 1), "DELETE /bucket/k?uploadId=u%2F1 HTTP/1.1");
}

TEST_F(MultipartUploadTest, ACompletionWhoseAnswerWasLostKnowsItsOwnObject) {
  for (const bool ours : {true, false}) {
    const size_t before = Asked();
    Started();
    TakesParts(2);
    Answers("", Then::kClose);
    Answers(Reply(404, ErrorBody("NoSuchUpload")));
    std::thread last([&] {
      ASSERT_TRUE(server_.WaitForRequests(before + 1));
      const std::string id = ours ? Header(before, "x-amz-meta-cs-write") : "another";
      Answers("HTTP/1.1 200 X\r\nContent-Length: 9\r\nETag: \"e\"\r\nx-amz-meta-cs-write: " + id +
              "\r\n\r\n");
    });
    EXPECT_EQ(Put(*store_, "k", TwoParts()), ours ? Code::kOk : Code::kIo);
    last.join();
    EXPECT_EQ(Line(before + 5), "HEAD /bucket/k HTTP/1.1");
    EXPECT_EQ(Asked(), before + 6);
  }
}

TEST_F(MultipartUploadTest, ADeadlineAbortsWithinASecond) {
  Started();
  Answers("", Then::kHang);
  Answers(Reply(204));
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(1'000);
  const int64_t begin = Clock::System().SteadyNs();
  Receipt receipt;
  const std::string value = TwoParts();
  store_->Put(Key("k"), Payload(value), call, [&](Receipt&& got) { receipt = std::move(got); });
  EXPECT_TRUE(receipt.status.Is(Code::kTimeout)) << receipt.status.ToString();
  EXPECT_LT(Clock::System().SteadyNs() - begin, 2'000'000'000);
  ExpectAborted(3);
}

TEST_F(MultipartUploadTest, AnUploadWithoutAnIdFails) {
  Answers(Reply(200, "<InitiateMultipartUploadResult/>"));
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kIo);
  EXPECT_EQ(Asked(), 1u);
}

// ---- Notes for the case of a crash ----

class NotedUploadTest : public MultipartUploadTest {
 protected:
  NotedUploadTest() { OpenNoted(); }
  void OpenNoted() {
    Open({{"multipart_threshold", "5MiB"},
          {"part_size", "5MiB"},
          {"attempts", "1"},
          {"part_concurrency", "1"},
          {"upload_notes", directory_.path()}});
  }
  NotedUpload Upload() const { return {server_.endpoint() + "/bucket", "k", "u/1"}; }
  size_t Notes() const {
    size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path())) {
      NotedUpload upload;
      std::string text;
      EXPECT_EQ(ReadSmallFile(AT_FDCWD, file.path().c_str(), 9999, &text), 0);
      EXPECT_TRUE(ParseNote(text, &upload) && upload == Upload()) << text;
      ++count;
    }
    return count;
  }
  TemporaryDirectory directory_;
};

TEST_F(NotedUploadTest, ANoteStandsAsLongAsThereArePartsOnTheServer) {
  Started();
  server_.Add({"", false, Then::kHang});
  Answers(Reply(204));
  Call call;
  call.cancel = MakeRef<CancelToken>();
  std::thread other([&] {
    EXPECT_TRUE(server_.WaitForRequests(2));
    EXPECT_EQ(Notes(), 1u) << "before the first part is sent";
    EXPECT_TRUE(UploadNote::TakeLeft(directory_.path(), Upload().bucket).empty());
    call.cancel->Fire();
  });
  const std::string value = TwoParts();
  store_->Put(Key("k"), Payload(value), call, [](Receipt&&) {});
  other.join();
  EXPECT_EQ(Notes(), 0u) << "aborted";
  Started();
  TakesParts(2);
  Completed();
  EXPECT_EQ(Put(*store_, "k", value), Code::kOk);
  EXPECT_EQ(Notes(), 0u) << "completed";
  Started();
  Answers(Reply(403, ErrorBody("AccessDenied")));
  Answers(Reply(500, ErrorBody("InternalError")));
  EXPECT_EQ(Put(*store_, "k", value), Code::kDenied);
  EXPECT_EQ(Notes(), 1u) << "could not be aborted";
}

TEST_F(NotedUploadTest, WhatACrashLeftIsAbortedWhenTheBucketIsOpened) {
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(UploadNote::Write(directory_.path(), Upload()).ok());
  Answers(Reply(404, ErrorBody("NoSuchUpload")));
  Answers(Reply(500, ErrorBody("InternalError")));
  OpenNoted();
  ASSERT_TRUE(server_.WaitForRequests(2));
  // Until the answers are in: a store that closes earlier leaves both.
  const int64_t until_ns = Clock::System().SteadyNs() + 10'000'000'000;
  const auto files = [this] {
    return std::distance(std::filesystem::directory_iterator(directory_.path()), {});
  };
  while (files() != 1 && Clock::System().SteadyNs() < until_ns) std::this_thread::yield();
  EXPECT_EQ(Line(0), "DELETE /bucket/k?uploadId=u%2F1 HTTP/1.1");
  Answers(Reply(204));
  OpenNoted();  // the first one has closed: all of its requests have ended
  ASSERT_TRUE(server_.WaitForRequests(3));
  EXPECT_TRUE(CloseStore(*store_).ok());
  store_ = nullptr;
  EXPECT_EQ(Asked(), 3u) << "one of them was there still";
}

TEST_F(NotedUploadTest, AnUploadThatCannotBeNotedIsAborted) {
  std::filesystem::remove_all(directory_.path());
  Started();
  Answers(Reply(204));
  EXPECT_EQ(Put(*store_, "k", TwoParts()), Code::kIo);
  ExpectAborted(2);
}

TEST_F(MultipartUploadTest, PartsGoOutTogether) {
  OpenInParts("3", "2");
  Started();
  for (int part = 0; part < 2; ++part) Answers("", Then::kHang);
  Answers(Reply(204));
  Call call = CallOf(Wait::kLater);
  call.cancel = MakeRef<CancelToken>();
  store_->Put(Key("k"), Payload(TwoParts()), call, [](Receipt&&) {});
  EXPECT_TRUE(server_.WaitForRequests(3)) << "none of the parts waits for the other's answer";
  EXPECT_EQ(server_.connections(), 2u);
  call.cancel->Fire();
}

}  // namespace
}  // namespace chainstore::s3::multipart_upload_test
