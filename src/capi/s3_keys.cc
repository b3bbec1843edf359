#include "capi/s3_keys.h"

#include "capi/calling_out.h"
#include "capi/guard.h"
#include "capi/options.h"
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/credential_reply.h"
#endif

namespace chainstore {

UserKeys::~UserKeys() {
  if (!release_) return;
  CallingOut mark;
  release_(user_data_);
}

cs_status UserKeys::Find(cs_s3_keys* keys) const noexcept {
  CallingOut mark;
  return provide_(user_data_, keys);
}

#ifdef CHAINSTORE_WITH_S3
namespace {

Bytes TextAt(const char* text) { return text ? Bytes(text) : Bytes(); }

class UserProvider final : public s3::CredentialProvider {
 public:
  explicit UserProvider(Ref<const UserKeys> keys) : keys_(std::move(keys)) {}
  const char* name() const noexcept override { return "your function"; }

  Result<Ref<const s3::Identity>> Fetch(const Ref<CancelToken>&) override {
    cs_s3_keys keys = {};
    keys.struct_size = sizeof(keys);
    const cs_status said = keys_->Find(&keys);
    if (said == CS_NOT_FOUND) return Status(Code::kNotFound);
    if (said != CS_OK) {
      const bool later = said == CS_IO || said == CS_BUSY || said == CS_TIMEOUT;
      return Failure(later ? static_cast<Code>(said) : Code::kDenied,
                     std::string("it answered ") + CodeName(static_cast<Code>(said)));
    }
    const s3::IdentityParts parts = {TextAt(keys.access_key), TextAt(keys.secret_key),
                                     TextAt(keys.session_token), keys.expires_at_ms};
    Result<Ref<const s3::Identity>> identity = s3::MakeIdentity(parts, name());
    if (identity.ok()) return identity;
    return Failure(Code::kDenied, identity.status().error()->message());  // asking again is no help
  }

 private:
  const Ref<const UserKeys> keys_;
};

}  // namespace

std::shared_ptr<s3::CredentialProvider> ProviderOf(Ref<const UserKeys> keys) {
  if (!keys) return nullptr;
  return std::make_shared<UserProvider>(std::move(keys));
}
#endif

}  // namespace chainstore

extern "C" {

cs_status cs_options_set_s3_keys(cs_options* options, cs_s3_provide provide, void* user_data,
                                 void (*release)(void* user_data)) {
  if (!options) return CS_INVALID;
  return chainstore::Guard([&]() -> cs_status {
    options->s3_keys =
        provide ? chainstore::MakeRef<chainstore::UserKeys>(provide, user_data, release) : nullptr;
    return CS_OK;
  });
}

}  // extern "C"
