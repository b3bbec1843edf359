// The providers that need no I/O: explicit options, the environment, anonymous.
#pragma once

#include <memory>
#include <string>

#include "stores/s3/credentials.h"
#include "stores/s3/variables.h"

namespace chainstore::s3 {

// An environment variable; blank counts as not set.
std::string EnvironmentText(const char* name);

std::unique_ptr<CredentialProvider> ExplicitProvider(std::string access_key, Secret secret,
                                                     Secret session_token);
// AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
std::unique_ptr<CredentialProvider> EnvironmentProvider(const Variables& variables);
std::unique_ptr<CredentialProvider> AnonymousProvider();

}  // namespace chainstore::s3
