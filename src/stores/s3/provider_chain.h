// MakeProviders: the places where a store's credentials may be, in the order in which they are
// looked at.
#pragma once

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"
#include "stores/s3/s3_settings.h"

namespace chainstore::s3 {

// What the option `credentials` asks for: one provider, or all but the anonymous one. The
// environment is read now.
Credentials::Providers MakeProviders(const S3Settings& settings, const Clock& clock);

// The same with settings of the test's.
Credentials::Providers MakeProviders(const S3Settings& settings,
                                     const SharedProviderSettings& shared);

}  // namespace chainstore::s3
