#include "contract/s3_subject.h"

#include <algorithm>
#include <cstdlib>

namespace contract {

std::string Variable(const char* name) {
  const char* const text = getenv(name);
  return text ? text : "";
}

bool HasS3() { return cs_has("s3") && !Variable("S3_BUCKET").empty(); }

bool HasQuirk(const std::string& name) {
  return (" " + Variable("S3_QUIRKS") + " ").find(" " + name + " ") != std::string::npos;
}

Client S3(const std::string& directory) { return S3With(directory, {}); }

Client S3With(const std::string& directory,
              const std::vector<std::pair<std::string, std::string>>& more) {
  return S3Bucket(Variable("S3_BUCKET"), directory, more);
}

Client S3Bucket(const std::string& bucket, const std::string& directory,
                const std::vector<std::pair<std::string, std::string>>& more) {
  const std::string endpoint = Variable("S3_ENDPOINT"), region = Variable("S3_REGION"),
                    access_key = Variable("S3_ACCESS_KEY"), secret_key = Variable("S3_SECRET_KEY"),
                    prefix = directory.substr(directory.rfind('/') + 1) + "/";
  const Options options = {{"endpoint", endpoint.c_str()},
                           {"region", region.c_str()},
                           {"access_key", access_key.c_str()},
                           {"secret_key", secret_key.c_str()},
                           {"prefix", prefix.c_str()}};
  for (const auto& [name, value] : more) {
    EXPECT_EQ(cs_options_set(options.handle, name.c_str(), value.c_str()), CS_OK) << name;
  }
  cs_error* error = nullptr;
  cs_store* store = cs_s3_new(bucket.c_str(), options.handle, &error);
  if (!store) {
    ADD_FAILURE() << (error ? cs_error_message(error) : "no error");
    cs_error_unref(error);
  }
  return Client(store);
}

std::string LargeValue(size_t size) {
  std::string value(size, '\0');
  uint64_t state = 1;
  for (size_t at = 0; at < size; at += 8) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    value.replace(at, std::min<size_t>(8, size - at), reinterpret_cast<const char*>(&state),
                  std::min<size_t>(8, size - at));
  }
  return value;
}

}  // namespace contract
