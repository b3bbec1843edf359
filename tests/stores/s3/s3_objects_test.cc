// Against a server that does as it is told: reads of single objects: values, ranges, checksums,
// misses.
#include "stores/s3/s3_objects.h"

#include <gtest/gtest.h>

#include "support/scripted_s3.h"

namespace chainstore::s3::s3_objects_test {
namespace {

class S3ObjectsTest : public ScriptedS3Test {
 protected:
  S3ObjectsTest() { Open({}); }
};

TEST_F(S3ObjectsTest, AnAnswerWithoutAnETagIsNoS3Servers) {
  Open({{"attempts", "1"}});
  Answers("HTTP/1.1 200 X\r\nContent-Length: 13\r\n\r\n<html></html>");
  const Status status = Get().status;
  EXPECT_TRUE(status.Is(Code::kIo));
  EXPECT_NE(status.ToString().find("endpoint"), std::string::npos);
  Answers("HTTP/1.1 404 X\r\nContent-Length: 13\r\n\r\n<html></html>");
  EXPECT_TRUE(Get().status.Is(Code::kIo)) << "a miss says what is missing";
}

TEST_F(S3ObjectsTest, DeletesManyAndReadsTheErrorsInsideThe200) {
  auto batch = MakeRef<Batch>();
  for (const char* key : {"a", "b<&>", "c"}) {
    batch->ops.push_back({OwnedKey(Key(key)), nullptr, 0});
  }
  Answers(Reply(200,
                "<DeleteResult><Error><Key>b&lt;&amp;&gt;</Key><Code>AccessDenied</Code>"
                "<Message>no</Message></Error></DeleteResult>"));
  const Entries entries = WriteInto(*store_, batch);
  EXPECT_TRUE(entries.status.Is(Code::kPartial));
  EXPECT_TRUE(entries.entries[0].status.ok());
  EXPECT_TRUE(entries.entries[1].status.Is(Code::kDenied));
  EXPECT_TRUE(entries.entries[2].status.ok());
  EXPECT_EQ(Line(0), "POST /bucket/?delete= HTTP/1.1");
  EXPECT_NE(Header(0, "content-md5"), "(none)");
}

}  // namespace
}  // namespace chainstore::s3::s3_objects_test
