#include "stores/s3/uri.h"

#include <gtest/gtest.h>

namespace chainstore::s3::uri_test {
namespace {

TEST(UriTest, EncodesEveryByteButTheUnreservedOnesOnce) {
  EXPECT_EQ(EncodePath("AZaz09-_.~/"), "AZaz09-_.~/");
  EXPECT_EQ(EncodePath("a b+c%2F*'(\xc3\xa4"), "a%20b%2Bc%252F%2A%27%28%C3%A4");
  EXPECT_EQ(EncodePath("//a/../b/./"), "//a/../b/./") << "nothing is normalised";
  EXPECT_EQ(EncodePath(Bytes("\0\n\x7f", 3)), "%00%0A%7F");
  EXPECT_EQ(EncodeQueryPart("a/b=&"), "a%2Fb%3D%26");
}

TEST(UriTest, SortsAQueryByEncodedNameThenValue) {
  EXPECT_EQ(EncodeQuery({{"prefix", "J"}, {"max-keys", "2"}}), "max-keys=2&prefix=J");
  EXPECT_EQ(EncodeQuery({{"delete", ""}}), "delete=") << "a name alone";
  EXPECT_EQ(EncodeQuery({{"a", "2"}, {"a", "1"}, {"A", "3"}, {"a b", ""}}), "A=3&a=1&a=2&a%20b=");
  // ':' is encoded and so comes before letters.
  EXPECT_EQ(EncodeQuery({{"ab", "1"}, {"a:", "2"}}), "a%3A=2&ab=1");
  EXPECT_EQ(EncodeQuery({}), "");
}

TEST(UriTest, DecodesWhatListsEncode) {
  std::string out;
  EXPECT_TRUE(DecodeUrl("a%20b+c%2f%2F%00", &out));
  EXPECT_EQ(out, std::string("a b c//\0", 8));
  for (const Bytes wrong : {"%", "%2", "a%g0", "%0x"})
    EXPECT_FALSE(DecodeUrl(wrong, &out)) << wrong;
}

TEST(UriTest, ReadsEndpoints) {
  const auto text = [](Bytes endpoint) {
    Result<Endpoint> parsed = ParseEndpoint(endpoint);
    return parsed.ok() ? parsed->Origin() : parsed.status().ToString();
  };
  EXPECT_EQ(text("http://127.0.0.1:9000"), "http://127.0.0.1:9000");
  EXPECT_EQ(text("https://S3.Example.com/"), "https://s3.example.com");
  EXPECT_EQ(text("https://host:443"), "https://host") << "the scheme's own port is not named";
  EXPECT_EQ(text("http://[::1]:80"), "http://[::1]");
  EXPECT_EQ(text("http://[::1]:81"), "http://[::1]:81");
  for (const Bytes wrong :
       {"", "host", "ftp://h", "file:///etc/passwd", "http://", "http://h:0", "http://h:65536",
        "http://h:x", "http://h/path", "http://h?q", "http://h#f", "http://[::1", "http://[x]",
        "http://a b", "http://h:80:80"}) {
    EXPECT_EQ(ParseEndpoint(wrong).status().code(), Code::kInvalid) << wrong;
  }
  const std::string message = ParseEndpoint("http://user:secret@host").status().ToString();
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST(UriTest, RedirectsStayInTheirDomainAndNeverLoseTls) {
  const auto may = [](Bytes from, Bytes to) {
    return MayRedirect(*ParseEndpoint(from), *ParseEndpoint(to));
  };
  EXPECT_TRUE(may("https://b.s3.amazonaws.com", "https://b.s3.eu-west-1.amazonaws.com"));
  EXPECT_TRUE(may("http://127.0.0.1:1", "http://127.0.0.1:2"));
  EXPECT_FALSE(may("https://b.s3.amazonaws.com", "http://b.s3.eu-west-1.amazonaws.com"));
  EXPECT_FALSE(may("https://b.s3.amazonaws.com", "https://evil.com"));
  EXPECT_FALSE(may("https://amazonaws.com", "https://evilamazonaws.com"));
  EXPECT_FALSE(may("http://127.0.0.1", "http://169.254.169.254"));
  EXPECT_FALSE(may("http://localhost", "http://otherhost"));
}

TEST(UriTest, KnowsWhichBucketsCanBeHosts) {
  EXPECT_TRUE(IsHostLabel("my-bucket-1"));
  for (const Bytes wrong : {"ab", "My-bucket", "my.bucket", "-bucket", "bucket-", "my_bucket"}) {
    EXPECT_FALSE(IsHostLabel(wrong)) << wrong;
  }
  EXPECT_FALSE(IsHostLabel(std::string(64, 'a')));
}

TEST(UriTest, AUrlLeadsToItsHostWhateverIsBehindIt) {
  for (const char* url : {"http://h:1", "http://h:1/", "http://h:1/a/b?c=http://x/", "http://h:1?a",
                          "http://h:1#a"}) {
    const auto endpoint = EndpointOfUrl(url);
    ASSERT_TRUE(endpoint.ok()) << url;
    EXPECT_EQ(endpoint->Origin(), "http://h:1") << url;
  }
  for (const char* url : {"", "/a", "file:///etc/passwd", "gopher://h/", "http://", "http://u@h/",
                          "http:h", "//h/"}) {
    EXPECT_FALSE(EndpointOfUrl(url).ok()) << url;
  }
}

}  // namespace
}  // namespace chainstore::s3::uri_test
