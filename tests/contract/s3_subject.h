// What the suite needs of an S3 server: one that the environment names (S3_ENDPOINT, S3_BUCKET,
// S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION), as tests/s3/with_radosgw.sh sets it.
#pragma once

#include "contract/subject.h"

namespace contract {

inline constexpr size_t kMiB = size_t{1} << 20;

// The environment variable; empty where it is not set.
std::string Variable(const char* name);

bool HasS3();
// Whether this server is known not to be as S3 is in this (tests/s3/quirks.py).
bool HasQuirk(const std::string& name);
// A store below a prefix that is `directory`'s own, so that tests do not see each other's keys.
Client S3(const std::string& directory);
// The same with more options.
Client S3With(const std::string& directory,
              const std::vector<std::pair<std::string, std::string>>& more);
// The same in another bucket.
Client S3Bucket(const std::string& bucket, const std::string& directory,
                const std::vector<std::pair<std::string, std::string>>& more);

// A value of which no part is like another, so that none can take another's place.
std::string LargeValue(size_t size);

}  // namespace contract
