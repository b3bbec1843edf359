// S3Store: a bucket of S3, or of a server that speaks its protocol, below an optional prefix. The
// body of an object is exactly the value.
//
// Order: writes of one key through one store take effect in the order in which they were started.
// Each request is signed, retried and checked by the client in s3_client.h.
// Thread safety: as Store. Under kLater answers come on the fast lane; a kHere caller waits for the
// HTTP thread itself, and for no other.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "core/store.h"
#include "stores/s3/s3_options.h"

namespace chainstore {

namespace s3 {
class CredentialProvider;
}

// Asks no server: whether the bucket is there, the first operation tells. Failures: kInvalid.
// `own` (null: none) is asked for keys in place of the providers that the options name.
Result<Ref<Store>> NewS3Store(std::string_view bucket, const Options* options,
                              std::shared_ptr<s3::CredentialProvider> own = nullptr);

// A URL by which whoever has it may `method` (GET, PUT, HEAD or DELETE) the key for so long, 1 s to
// 7 days. kInvalid: `store` is not one that NewS3Store made, or the arguments are wrong.
Result<std::string> PresignS3(Store& store, std::string_view method, const Key& key,
                              uint64_t expires_ms, const Call& call);

}  // namespace chainstore
