// FetchFromContainer: credentials from the agent that ECS and EKS put beside a container.
// Thread safety: any thread that may block.
#pragma once

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"

namespace chainstore::s3 {

// $AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, _FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN and
// _TOKEN_FILE. kNotFound: not set.
Result<Ref<const Identity>> FetchFromContainer(const ProviderSettings& settings,
                                               const Ref<CancelToken>& stop);

// Whether such a URI may be asked: with https any host; with http this machine, and the addresses
// that ECS (169.254.170.2) and EKS (169.254.170.23, fd00:ec2::23) document. Anything else would
// send the token of the container to whoever answers.
bool IsContainerUri(Bytes uri);

}  // namespace chainstore::s3
