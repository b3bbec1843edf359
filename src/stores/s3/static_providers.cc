#include "stores/s3/static_providers.h"

#include <cstdlib>

#include "stores/s3/sigv4.h"

namespace chainstore::s3 {
namespace {

// Keys that never change.
class FixedKeys : public CredentialProvider {
 public:
  FixedKeys(const char* name, std::string access_key, Secret secret, Secret session_token)
      : name_(name),
        access_key_(std::move(access_key)),
        secret_(std::move(secret)),
        session_token_(std::move(session_token)) {}
  const char* name() const noexcept override { return name_; }
  bool is_instant() const noexcept override { return true; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>&) override {
    if (access_key_.empty() && secret_.empty()) return Status(Code::kNotFound);
    if (const char* wrong = WhatIsWrong()) return Status(Failure(Code::kDenied, wrong));
    auto identity = MakeRef<Identity>();
    identity->access_key = access_key_;
    identity->secret = secret_;
    identity->session_token = session_token_;
    identity->source = name_;
    identity->fixed = true;
    return Ref<const Identity>(std::move(identity));
  }

 protected:
  // Null: nothing. (Options are checked when they are read.)
  virtual const char* WhatIsWrong() const { return nullptr; }

  const char* const name_;
  const std::string access_key_;
  const Secret secret_;
  const Secret session_token_;
};

class EnvironmentKeys final : public FixedKeys {
 public:
  explicit EnvironmentKeys(const Variables& variables)
      : FixedKeys("environment", variables.Text("AWS_ACCESS_KEY_ID"),
                  Secret(variables.Get("AWS_SECRET_ACCESS_KEY")),
                  Secret(variables.Get("AWS_SESSION_TOKEN"))) {}

 private:
  const char* WhatIsWrong() const override {
    if (access_key_.empty() || secret_.empty()) {
      return "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set";
    }
    if (!IsHeaderValue(access_key_) || !IsHeaderValue(session_token_.Reveal())) {
      return "AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN has a line break in it";
    }
    return nullptr;
  }
};

class Anonymous final : public CredentialProvider {
 public:
  const char* name() const noexcept override { return "anonymous"; }
  bool is_instant() const noexcept override { return true; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>&) override {
    auto identity = MakeRef<Identity>();
    identity->anonymous = true;
    identity->fixed = true;
    identity->source = name();
    return Ref<const Identity>(std::move(identity));
  }
};

}  // namespace

std::string EnvironmentText(const char* name) {
  const char* const text = getenv(name);
  if (!text || Bytes(text).find_first_not_of(" \t\r\n") == Bytes::npos) return "";
  return text;
}

std::unique_ptr<CredentialProvider> ExplicitProvider(std::string access_key, Secret secret,
                                                     Secret session_token) {
  return std::make_unique<FixedKeys>("options", std::move(access_key), std::move(secret),
                                     std::move(session_token));
}

std::unique_ptr<CredentialProvider> EnvironmentProvider(const Variables& variables) {
  return std::make_unique<EnvironmentKeys>(variables);
}

std::unique_ptr<CredentialProvider> AnonymousProvider() { return std::make_unique<Anonymous>(); }

}  // namespace chainstore::s3
