#include "stores/s3/static_providers.h"

#include <cstdlib>

#include "stores/s3/sigv4.h"

namespace chainstore::s3 {
namespace {

class Explicit final : public CredentialProvider {
 public:
  Explicit(std::string access_key, Secret secret, Secret session_token)
      : access_key_(std::move(access_key)),
        secret_(std::move(secret)),
        session_token_(std::move(session_token)) {}
  const char* name() const noexcept override { return "options"; }
  bool is_instant() const noexcept override { return true; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>&) override {
    if (access_key_.empty() && secret_.empty()) return Status(Code::kNotFound);
    auto identity = MakeRef<Identity>();
    identity->access_key = access_key_;
    identity->secret = secret_;
    identity->session_token = session_token_;
    identity->source = name();
    identity->fixed = true;
    return Ref<const Identity>(std::move(identity));
  }

 private:
  const std::string access_key_;
  const Secret secret_;
  const Secret session_token_;
};

class Environment final : public CredentialProvider {
 public:
  explicit Environment(const Variables& variables)
      : access_key_(variables.Text("AWS_ACCESS_KEY_ID")),
        secret_(variables.Get("AWS_SECRET_ACCESS_KEY")),
        session_token_(variables.Get("AWS_SESSION_TOKEN")) {}
  const char* name() const noexcept override { return "environment"; }
  bool is_instant() const noexcept override { return true; }
  Result<Ref<const Identity>> Fetch(const Ref<CancelToken>&) override {
    if (access_key_.empty() && secret_.empty()) return Status(Code::kNotFound);
    const auto wrong = [](const char* what) { return Failure(Code::kDenied, what); };
    if (access_key_.empty() || secret_.empty()) {
      return wrong("only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set");
    }
    if (!IsHeaderValue(access_key_) || !IsHeaderValue(session_token_.Reveal())) {
      return wrong("AWS_ACCESS_KEY_ID or AWS_SESSION_TOKEN has a line break in it");
    }
    auto identity = MakeRef<Identity>();
    identity->access_key = access_key_;
    identity->secret = secret_;
    identity->session_token = session_token_;
    identity->source = name();
    identity->fixed = true;
    return Ref<const Identity>(std::move(identity));
  }

 private:
  const std::string access_key_;
  const Secret secret_;
  const Secret session_token_;
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
  return std::make_unique<Explicit>(std::move(access_key), std::move(secret),
                                    std::move(session_token));
}

std::unique_ptr<CredentialProvider> EnvironmentProvider(const Variables& variables) {
  return std::make_unique<Environment>(variables);
}

std::unique_ptr<CredentialProvider> AnonymousProvider() { return std::make_unique<Anonymous>(); }

}  // namespace chainstore::s3
