// UserKeys: the user's function that finds an S3 store's keys, with its data.
// Thread safety: Find from any thread, several at once for several stores.
#pragma once

#include <memory>

#include "base/ref.h"
#include "chainstore.h"

namespace chainstore {

namespace s3 {
class CredentialProvider;
}

class UserKeys final : public RefCounted<UserKeys> {
 public:
  UserKeys(cs_s3_provide provide, void* user_data, void (*release)(void* user_data)) noexcept
      : provide_(provide), user_data_(user_data), release_(release) {}
  ~UserKeys();
  // With the thread marked as one that is in a function of the user's.
  cs_status Find(cs_s3_keys* keys) const noexcept;

 private:
  const cs_s3_provide provide_;
  void* const user_data_;
  void (*const release_)(void* user_data);
};

#ifdef CHAINSTORE_WITH_S3
// The same as a provider of a store's credentials.
std::shared_ptr<s3::CredentialProvider> ProviderOf(Ref<const UserKeys> keys);
#endif

}  // namespace chainstore
