#include "stores/s3/profile_provider.h"

#include <pwd.h>
#include <strings.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "stores/s3/container_provider.h"
#include "stores/s3/credential_process.h"
#include "stores/s3/credential_reply.h"
#include "stores/s3/instance_provider.h"
#include "stores/s3/profile_file.h"
#include "stores/s3/secret_file.h"
#include "stores/s3/sso_provider.h"
#include "stores/s3/static_providers.h"
#include "stores/s3/sts.h"

namespace chainstore::s3 {
namespace {

using Found = Result<Ref<const Identity>>;

Failure ProfileFailure(std::string what) { return Failure(Code::kDenied, std::move(what)); }

std::string HomeOf(const Variables& variables) {
  std::string home = variables.Text("HOME");
  if (!home.empty()) return home;
  char buffer[4096];
  passwd entry;
  passwd* found = nullptr;
  if (getpwuid_r(getuid(), &entry, buffer, sizeof(buffer), &found) == 0 && found) {
    home = entry.pw_dir;
  }
  return home;
}

// Resolves one profile, and those that it leads to.
class Resolver {
 public:
  Resolver(const ProviderSettings& settings, const Ref<CancelToken>& stop)
      : settings_(settings), stop_(stop), home_(HomeOf(settings.variables)) {}

  Status ReadFiles() {
    Status status = ReadFile("AWS_CONFIG_FILE", "/.aws/config", ProfileFiles::Kind::kConfig);
    if (!status.ok()) return status;
    return ReadFile("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials",
                    ProfileFiles::Kind::kCredentials);
  }

  // What a profile asks for that would otherwise be ignored without a word.
  Status RefuseEndpoints(const std::string& name) const;
  Found Resolve(const std::string& name, bool asked_for);

 private:
  Status ReadFile(const char* variable, const char* below_home, ProfileFiles::Kind kind);
  std::string WithHome(std::string path) const {
    return path.starts_with("~/") ? home_ + path.substr(1) : path;
  }
  Found Keys(const Profile& profile) const;
  Found AssumeFrom(const Profile& profile, const Role& role);
  Found SourceOf(const Profile& profile);
  Found CredentialSource(const Profile& profile) const;

  const ProviderSettings& settings_;
  const Ref<CancelToken>& stop_;
  const std::string home_;
  ProfileFiles files_;
  std::vector<std::string> visited_;
};

Status Resolver::ReadFile(const char* variable, const char* below_home, ProfileFiles::Kind kind) {
  std::string path = WithHome(settings_.variables.Text(variable));
  if (path.empty() && home_.empty()) return Status();
  if (path.empty()) path = home_ + below_home;
  Secret text;
  const int failed = ReadSecretFile(path, ProfileFiles::kMaxFileBytes, &text);
  if (failed == ENOENT || failed == ENOTDIR) return Status();
  if (failed != 0) return ProfileFailure("cannot read a profile file").Path(path).Errno(failed);
  return files_.Add(text.Reveal(), kind, path);
}

Status Resolver::RefuseEndpoints(const std::string& name) const {
  const Profile* const profile = files_.Find(name);
  if (!profile || settings_.custom_endpoint) return Status();
  for (const char* setting : {"use_fips_endpoint", "use_dualstack_endpoint"}) {
    if (strcasecmp(profile->Text(setting).c_str(), "true") != 0) continue;
    return ProfileFailure("the profile '" + name + "' has " + setting +
                          ", and such endpoints are not found by themselves")
        .Hint(kNameEndpoint);
  }
  return Status();
}

Found Resolver::Resolve(const std::string& name, bool asked_for) {
  const Profile* const profile = files_.Find(name);
  if (!profile) {
    if (!asked_for) return Status(Code::kNotFound);
    return ProfileFailure("there is no profile '" + name + "'");
  }
  visited_.push_back(name);
  Role role;
  role.arn = profile->Text("role_arn");
  role.session_name = profile->Text("role_session_name");
  role.external_id = profile->Text("external_id");
  role.duration_seconds = profile->Text("duration_seconds");
  role.region = profile->Text("region");
  const std::string token_file = WithHome(profile->Text("web_identity_token_file"));
  if (!role.arn.empty() && !token_file.empty()) {
    return AssumeRoleWithTokenFile(settings_, role, token_file, stop_);
  }
  if (!role.arn.empty()) return AssumeFrom(*profile, role);
  if (!profile->Get("aws_access_key_id").empty() ||
      !profile->Get("aws_secret_access_key").empty()) {
    return Keys(*profile);
  }
  if (!profile->Get("sso_session").empty() || !profile->Get("sso_account_id").empty()) {
    return FetchFromSso(settings_, files_, *profile, home_, stop_);
  }
  if (const Bytes command = profile->Get("credential_process"); !command.empty()) {
    return FetchFromProcess(command, settings_.process_ms, stop_);
  }
  if (!asked_for) return Status(Code::kNotFound);
  return ProfileFailure("the profile '" + name + "' says nothing of credentials");
}

Found Resolver::Keys(const Profile& profile) const {
  IdentityParts parts;
  parts.access_key = profile.Get("aws_access_key_id");
  parts.secret = profile.Get("aws_secret_access_key");
  parts.session_token = profile.Get("aws_session_token");
  if (parts.access_key.empty() || parts.secret.empty()) {
    return ProfileFailure("the profile '" + profile.name +
                          "' has only one of aws_access_key_id and aws_secret_access_key");
  }
  return MakeIdentity(parts, "profile");
}

Found Resolver::AssumeFrom(const Profile& profile, const Role& role) {
  if (!profile.Get("mfa_serial").empty()) {
    return ProfileFailure(
        "the profile '" + profile.name +
        "' needs a code of a second factor (mfa_serial), which nobody can be asked for");
  }
  const Found source = SourceOf(profile);
  if (!source.ok()) return source.status();
  return AssumeRole(settings_, role, **source, stop_);
}

Found Resolver::SourceOf(const Profile& profile) {
  const std::string name = profile.Text("source_profile");
  const bool elsewhere = !profile.Get("credential_source").empty();
  if (name.empty() == !elsewhere) {
    return ProfileFailure("the profile '" + profile.name +
                          "' has a role_arn, and not one of source_profile and credential_source");
  }
  if (elsewhere) return CredentialSource(profile);
  // Its own keys may be what it assumes its role with.
  if (name == profile.name) return Keys(profile);
  if (std::find(visited_.begin(), visited_.end(), name) != visited_.end()) {
    return ProfileFailure("the profile '" + name + "' is its own source, by source_profile");
  }
  return Resolve(name, true);
}

Found Resolver::CredentialSource(const Profile& profile) const {
  const std::string source = profile.Text("credential_source");
  Found found = Status(Code::kNotFound);
  if (source == "Environment") {
    found = EnvironmentProvider(settings_.variables)->Fetch(stop_);
  } else if (source == "EcsContainer") {
    found = FetchFromContainer(settings_, stop_);
  } else if (source == "Ec2InstanceMetadata") {
    found = FetchFromInstance(settings_, stop_);
  } else {
    return ProfileFailure("the profile '" + profile.name + "' has an unknown credential_source")
        .Hint("it is Environment, EcsContainer or Ec2InstanceMetadata");
  }
  if (!found.status().Is(Code::kNotFound)) return found;
  return ProfileFailure("the credential_source " + source + " of profile '" + profile.name +
                        "' has no credentials");
}

}  // namespace

Found FetchFromProfile(const ProviderSettings& settings, const Ref<CancelToken>& stop) {
  std::string name = settings.profile;
  if (name.empty()) name = settings.variables.Text("AWS_PROFILE");
  Resolver resolver(settings, stop);
  if (Status failed = resolver.ReadFiles(); !failed.ok()) return failed;
  const std::string first = name.empty() ? "default" : name;
  if (Status refused = resolver.RefuseEndpoints(first); !refused.ok()) return refused;
  return resolver.Resolve(first, !name.empty());
}

}  // namespace chainstore::s3
