// Pre-signed URLs on a real server, used by a program that is not ours.
#include <cstdio>
#include <string>

#include "contract/s3_subject.h"

namespace contract {
namespace {

std::string UrlOf(const Client& store, const char* method, const std::string& key) {
  cs_error* error = nullptr;
  cs_value* const made =
      cs_s3_presign(store.get(), method, key.data(), key.size(), 60'000, nullptr, &error);
  EXPECT_NE(made, nullptr) << (error ? cs_error_message(error) : "");
  cs_error_unref(error);
  size_t size = 0;
  const char* const text = static_cast<const char*>(cs_value_data(made, &size));
  const std::string url(text, size);
  cs_value_unref(made);
  return url;
}

// What curl prints: the body and the status.
std::string Curl(const std::string& arguments, const std::string& url) {
  EXPECT_EQ(url.find('\''), std::string::npos);
  const std::string command =
      "curl -s -m 20 --path-as-is -w ' %{http_code}' " + arguments + " '" + url + "'";
  FILE* const pipe = popen(command.c_str(), "r");
  char text[4096];
  const size_t size = fread(text, 1, sizeof(text), pipe);
  EXPECT_EQ(pclose(pipe), 0) << command;
  return std::string(text, size);
}

TEST(PresignedUrls, OpenOneObjectForOneMethodOnS3) {
  if (!HasS3()) GTEST_SKIP() << "needs a server";
  Client store = S3With("presign", {});
  for (const std::string key : {"plain", "a b+c%2F&=/../d"}) {
    EXPECT_EQ(Curl("-X PUT --data-binary value", UrlOf(store, "PUT", key)), " 200") << key;
    EXPECT_EQ(store.Get(key).value, "value") << key;
    const std::string url = UrlOf(store, "GET", key);
    EXPECT_EQ(Curl("", url), "value 200") << key;
    EXPECT_TRUE(Curl("-X DELETE", url).ends_with(" 403")) << "another method";
    EXPECT_TRUE(Curl("", url + "0").ends_with(" 403")) << "another signature";
    EXPECT_EQ(Curl("-I -o /dev/null", UrlOf(store, "HEAD", key)), " 200") << key;
    EXPECT_EQ(store.Get(key).value, "value") << key;
    EXPECT_EQ(Curl("-X DELETE", UrlOf(store, "DELETE", key)), " 204") << key;
    EXPECT_EQ(store.Get(key).status, CS_NOT_FOUND) << key;
  }
  EXPECT_TRUE(store.Close().ok());
}

}  // namespace
}  // namespace contract
