// FetchFromSso: credentials of a role through IAM Identity Center, with the token that `aws sso
// login` has left in its cache. A token that has expired is for the user to renew.
// Thread safety: any thread that may block.
#pragma once

#include <string>

#include "stores/s3/credentials.h"
#include "stores/s3/profile_file.h"
#include "stores/s3/provider_settings.h"

namespace chainstore::s3 {

// The cached token's file name for a session's name, or for a start URL without one.
std::string SsoCacheFile(const std::string& session_or_url);

// `profile` has sso_account_id and sso_role_name, and sso_session or sso_start_url and sso_region.
// `home` is where .aws is.
Result<Ref<const Identity>> FetchFromSso(const ProviderSettings& settings,
                                         const ProfileFiles& files, const Profile& profile,
                                         const std::string& home, const Ref<CancelToken>& stop);

}  // namespace chainstore::s3
