// FetchFromProfile: credentials as a profile of AWS's shared files says: keys of its own, a role to
// assume with those of another profile or place, a web identity, SSO, or a process.
// Thread safety: any thread that may block.
#pragma once

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"

namespace chainstore::s3 {

// The files are $AWS_CONFIG_FILE and $AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/config and
// ~/.aws/credentials; they are read anew each time. kNotFound: no profile was asked for, and the
// default one is not there or says nothing of credentials.
Result<Ref<const Identity>> FetchFromProfile(const ProviderSettings& settings,
                                             const Ref<CancelToken>& stop);

}  // namespace chainstore::s3
