// Sts: asks AWS's Security Token Service for the keys of a role: with keys of one's own, or with a
// token of somebody whom AWS trusts to say who one is. By POST: where a GET is, servers have
// answered something else with 200.
// Thread safety: any thread that may block.
#pragma once

#include <string>

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"
#include "stores/s3/sigv4.h"

namespace chainstore::s3 {

struct Role {
  std::string arn;
  std::string session_name;      // empty: one is made up
  std::string external_id;       // empty: none
  std::string duration_seconds;  // empty: the service's default
  std::string region;            // empty: that of the settings
};

// Where STS is: $AWS_ENDPOINT_URL_STS, $AWS_ENDPOINT_URL, else AWS's own in `region`.
Result<Endpoint> StsEndpoint(const Variables& variables, const std::string& region);

Result<Ref<const Identity>> AssumeRole(const ProviderSettings& settings, const Role& role,
                                       const Identity& who, const Ref<CancelToken>& stop);
Result<Ref<const Identity>> AssumeRoleWithToken(const ProviderSettings& settings, const Role& role,
                                                const Secret& token, const Ref<CancelToken>& stop);

// The same with the token in a file, which is read anew each time: it is exchanged while the
// program runs.
Result<Ref<const Identity>> AssumeRoleWithTokenFile(const ProviderSettings& settings,
                                                    const Role& role, const std::string& path,
                                                    const Ref<CancelToken>& stop);

// $AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ROLE_ARN and AWS_ROLE_SESSION_NAME, as EKS sets them.
// kNotFound: not set.
Result<Ref<const Identity>> FetchFromWebIdentity(const ProviderSettings& settings,
                                                 const Ref<CancelToken>& stop);

}  // namespace chainstore::s3
