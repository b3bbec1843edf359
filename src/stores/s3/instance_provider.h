// FetchFromInstance: credentials of the role of an EC2 instance, from its metadata service, version
// 2: a token first. There is no way back to version 1, which answers whoever can make this process
// send a GET.
// Thread safety: any thread that may block.
#pragma once

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"

namespace chainstore::s3 {

// $AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT and _ENDPOINT_MODE. kNotFound:
// turned off, not on such an instance, or one without a role.
Result<Ref<const Identity>> FetchFromInstance(const ProviderSettings& settings,
                                              const Ref<CancelToken>& stop);

}  // namespace chainstore::s3
