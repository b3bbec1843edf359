#include "stores/s3/provider_chain.h"

#include "stores/s3/container_provider.h"
#include "stores/s3/instance_provider.h"
#include "stores/s3/profile_provider.h"
#include "stores/s3/static_providers.h"
#include "stores/s3/sts.h"

namespace chainstore::s3 {
namespace {

// A provider that is one function of the settings, which may block.
class Asking final : public CredentialProvider {
 public:
  using Function = Result<Ref<const Identity>> (*)(const ProviderSettings&,
                                                   const Ref<CancelToken>&);
  Asking(const char* name, Function fetch, SharedProviderSettings settings)
      : name_(name), fetch_(fetch), settings_(std::move(settings)) {}
  const char* name() const noexcept override { return name_; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>& stop) override {
    return fetch_(*settings_, stop);
  }

 private:
  const char* const name_;
  const Function fetch_;
  const SharedProviderSettings settings_;
};

// The user's, which the settings share.
class Own final : public CredentialProvider {
 public:
  explicit Own(std::shared_ptr<CredentialProvider> provider) : provider_(std::move(provider)) {}
  const char* name() const noexcept override { return provider_->name(); }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>& stop) override {
    return provider_->Fetch(stop);
  }

 private:
  const std::shared_ptr<CredentialProvider> provider_;
};

}  // namespace

Credentials::Providers MakeProviders(const S3Settings& settings, const Clock& clock) {
  auto shared = std::make_shared<ProviderSettings>();
  shared->variables = Variables::OfProcess();
  shared->profile = settings.profile;
  shared->region = settings.region;
  shared->custom_endpoint = settings.custom_endpoint;
  shared->http = settings.http;
  shared->clock = &clock;
  return MakeProviders(settings, shared);
}

Credentials::Providers MakeProviders(const S3Settings& settings,
                                     const SharedProviderSettings& shared) {
  Credentials::Providers providers;
  if (settings.own_credentials) {
    providers.push_back(std::make_unique<Own>(settings.own_credentials));
    return providers;
  }
  const std::string& which = settings.credentials;
  if (which == "anonymous") {
    providers.push_back(AnonymousProvider());
    return providers;
  }
  const bool all = which == "auto";
  if (all || which == "options") {
    providers.push_back(
        ExplicitProvider(settings.access_key, settings.secret_key, settings.session_token));
  }
  if (all || which == "environment") providers.push_back(EnvironmentProvider(shared->variables));
  const std::pair<const char*, Asking::Function> others[] = {{"profile", FetchFromProfile},
                                                             {"web_identity", FetchFromWebIdentity},
                                                             {"container", FetchFromContainer},
                                                             {"instance", FetchFromInstance}};
  for (const auto& [name, fetch] : others) {
    if (all || which == name) providers.push_back(std::make_unique<Asking>(name, fetch, shared));
  }
  return providers;
}

}  // namespace chainstore::s3
