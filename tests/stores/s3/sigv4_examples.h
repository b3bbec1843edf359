// The signatures that the S3 API reference prints ("Signature Calculations for the Authorization
// Header", "Authenticating Requests: Using Query Parameters", "Transferring Payload in Multiple
// Chunks", "Including Trailing Headers"), of which each was recomputed; the trailer's is the one
// that verifies, older copies of the page print another.
#pragma once

#include <utility>
#include <vector>

namespace chainstore::s3 {

struct SigningExample {
  const char* name;
  const char* method;  // null: a part of a chunked upload, which has no canonical request
  const char* path;
  const char* query;
  std::vector<std::pair<const char*, const char*>> headers;
  const char* payload_hash;
  const char* canonical_request;
  const char* string_to_sign;
  const char* signature;
};

inline const SigningExample kSigningExamples[] = {
    {"get-object",
     "GET",
     "/test.txt",
     "",
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"range", "bytes=0-9"},
      {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"x-amz-date", "20130524T000000Z"}},
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "GET\n"
     "/test.txt\n"
     "\n"
     "host:examplebucket.s3.amazonaws.com\n"
     "range:bytes=0-9\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "x-amz-date:20130524T000000Z\n"
     "\n"
     "host;range;x-amz-content-sha256;x-amz-date\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"put-object",
     "PUT",
     "/test%24file.text",
     "",
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"date", "Fri, 24 May 2013 00:00:00 GMT"},
      {"x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"},
      {"x-amz-date", "20130524T000000Z"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "PUT\n"
     "/test%24file.text\n"
     "\n"
     "date:Fri, 24 May 2013 00:00:00 GMT\n"
     "host:examplebucket.s3.amazonaws.com\n"
     "x-amz-content-sha256:44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072\n"
     "x-amz-date:20130524T000000Z\n"
     "x-amz-storage-class:REDUCED_REDUNDANCY\n"
     "\n"
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class\n"
     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"get-bucket-lifecycle",
     "GET",
     "/",
     "lifecycle=",
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"x-amz-date", "20130524T000000Z"}},
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "GET\n"
     "/\n"
     "lifecycle=\n"
     "host:examplebucket.s3.amazonaws.com\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "x-amz-date:20130524T000000Z\n"
     "\n"
     "host;x-amz-content-sha256;x-amz-date\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"get-bucket-list-objects",
     "GET",
     "/",
     "max-keys=2&prefix=J",
     {{"host", "examplebucket.s3.amazonaws.com"},
      {"x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"x-amz-date", "20130524T000000Z"}},
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "GET\n"
     "/\n"
     "max-keys=2&prefix=J\n"
     "host:examplebucket.s3.amazonaws.com\n"
     "x-amz-content-sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "x-amz-date:20130524T000000Z\n"
     "\n"
     "host;x-amz-content-sha256;x-amz-date\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"presigned-get-object",
     "GET",
     "/test.txt",
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-"
     "1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders="
     "host",
     {{"host", "examplebucket.s3.amazonaws.com"}},
     "UNSIGNED-PAYLOAD",
     "GET\n"
     "/test.txt\n"
     "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-"
     "1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders="
     "host\n"
     "host:examplebucket.s3.amazonaws.com\n"
     "\n"
     "host\n"
     "UNSIGNED-PAYLOAD",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "3bfa292879f6447bbcda7001decf97f4a54dc650c8942174ae0a9121cf58ad04",
     "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
    {"chunked-upload-seed",
     "PUT",
     "/examplebucket/chunkObject.txt",
     "",
     {{"host", "s3.amazonaws.com"},
      {"x-amz-date", "20130524T000000Z"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"},
      {"content-encoding", "aws-chunked"},
      {"x-amz-decoded-content-length", "66560"},
      {"content-length", "66824"}},
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
     "PUT\n"
     "/examplebucket/chunkObject.txt\n"
     "\n"
     "content-encoding:aws-chunked\n"
     "content-length:66824\n"
     "host:s3.amazonaws.com\n"
     "x-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n"
     "x-amz-date:20130524T000000Z\n"
     "x-amz-decoded-content-length:66560\n"
     "x-amz-storage-class:REDUCED_REDUNDANCY\n"
     "\n"
     "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-"
     "length;x-amz-storage-class\n"
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "cee3fed04b70f867d036f722359b0b1f2f0e5dc0efadbc082b76c4c60e316455",
     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"},
    {"chunked-upload-chunk-1",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a",
     "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"},
    {"chunked-upload-chunk-2",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "2edc986847e209b4016e141a6dc8716d3207350f416969382d431539bf292e4a",
     "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"},
    {"chunked-upload-final",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"},
    {"chunked-trailer-seed",
     "PUT",
     "/examplebucket/chunkObject.txt",
     "",
     {{"host", "s3.amazonaws.com"},
      {"x-amz-date", "20130524T000000Z"},
      {"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"},
      {"content-encoding", "aws-chunked"},
      {"x-amz-decoded-content-length", "66560"},
      {"x-amz-trailer", "x-amz-checksum-crc32c"}},
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
     "PUT\n"
     "/examplebucket/chunkObject.txt\n"
     "\n"
     "content-encoding:aws-chunked\n"
     "host:s3.amazonaws.com\n"
     "x-amz-content-sha256:STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER\n"
     "x-amz-date:20130524T000000Z\n"
     "x-amz-decoded-content-length:66560\n"
     "x-amz-storage-class:REDUCED_REDUNDANCY\n"
     "x-amz-trailer:x-amz-checksum-crc32c\n"
     "\n"
     "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-"
     "storage-class;x-amz-trailer\n"
     "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
     "AWS4-HMAC-SHA256\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "44d48b8c2f70eae815a0198cc73d7a546a73a93359c070abbaa5e6c7de112559",
     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"},
    {"chunked-trailer-chunk-1",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "bf718b6f653bebc184e1479f1935b8da974d701b893afcf49e701f3e2f9f9c5a",
     "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"},
    {"chunked-trailer-chunk-2",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "2edc986847e209b4016e141a6dc8716d3207350f416969382d431539bf292e4a",
     "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"},
    {"chunked-trailer-final",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-PAYLOAD\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n"
     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
     "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"},
    {"chunked-trailer-trailer",
     nullptr,
     "",
     "",
     {},
     "",
     "",
     "AWS4-HMAC-SHA256-TRAILER\n"
     "20130524T000000Z\n"
     "20130524/us-east-1/s3/aws4_request\n"
     "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\n"
     "1e376db7e1a34a8ef1c4bcee131a2d60a1cb62503747488624e10995f448d774",
     "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"},
};

}  // namespace chainstore::s3
