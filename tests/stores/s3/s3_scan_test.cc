// Against a server that does as it is told: scans: answers that are no list.
#include "stores/s3/s3_scan.h"

#include <gtest/gtest.h>

#include "support/scripted_s3.h"

namespace chainstore::s3::s3_scan_test {
namespace {

class S3ScanTest : public ScriptedS3Test {
 protected:
  S3ScanTest() { Open({}); }
};

std::string ListBody(const std::string& inside) {
  return "<ListBucketResult>" + inside + "</ListBucketResult>";
}

TEST_F(S3ScanTest, AListThatIsNoneFailsTheScan) {
  Open({{"attempts", "1"}});
  for (const std::string& body :
       {std::string(), std::string("<html></html>"), std::string("<Other/>"),
        std::string("<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult>&b;</ListBucketResult>"),
        ListBody("<IsTruncated>true</IsTruncated>"), std::string("<ListBucketResult>")}) {
    Answers(Reply(200, body));
    Answers(Reply(200, body));
    EXPECT_TRUE(ScanPage(*store_, Range()).status.Is(Code::kIo)) << body;
  }
  Answers(Reply(200, ErrorBody("AccessDenied")));
  Answers(Reply(200, ErrorBody("AccessDenied")));
  EXPECT_TRUE(ScanPage(*store_, Range()).status.Is(Code::kDenied)) << "200 with an error in it";
}

}  // namespace
}  // namespace chainstore::s3::s3_scan_test
