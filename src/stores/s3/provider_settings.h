// ProviderSettings: what the providers of a store's credentials know. EndpointLimits: how long they
// wait for the services that they ask.
// Thread safety: immutable once it is shared.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "stores/s3/http.h"
#include "stores/s3/variables.h"

namespace chainstore::s3 {

// The way out for who asks for FIPS or dual-stack endpoints.
inline constexpr char kNameEndpoint[] =
    "give it as the option endpoint, for instance https://s3-fips.us-east-1.amazonaws.com";

struct EndpointLimits {
  long connect_ms;
  int64_t whole_ms;  // of one try, the connecting included
  int tries = 3;
  bool needs_route = false;  // where there is none, it is not tried again
};

struct ProviderSettings {
  Variables variables;
  std::string profile;           // empty: $AWS_PROFILE, else default
  bool custom_endpoint = false;  // the store's own: no profile need say which of AWS's
  std::string region;            // for STS, where a profile does not say another
  HttpSettings http;             // proxy and certificates, for what is not on this machine
  const Clock* clock = &Clock::System();
  // Instance metadata: 1 s for the connection and 1 s for what is read.
  EndpointLimits instance{1000, 2000, 3, true};
  // The agent of EKS asks a server itself.
  EndpointLimits container{1000, 5000};
  EndpointLimits service{3000, 10'000};  // STS and SSO
  int64_t process_ms = 60'000;
};
using SharedProviderSettings = std::shared_ptr<const ProviderSettings>;

}  // namespace chainstore::s3
