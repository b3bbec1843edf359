// ProfileFiles: the profiles of AWS's shared files (the AWS SDKs and Tools Reference Guide, "Shared
// config and credentials files"): config, where a profile is [profile NAME], and credentials, where
// it is [NAME] and whose settings win.
// Thread safety: a value.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "stores/s3/secret.h"

namespace chainstore::s3 {

// One section's settings.
struct Profile {
  std::string name;
  std::vector<std::pair<std::string, Secret>> settings;  // names in lower case

  // Empty: there is none, or it is blank. Lives as long as this.
  Bytes Get(Bytes setting) const noexcept;
  std::string Text(Bytes setting) const { return std::string(Get(setting)); }
  void Set(Bytes setting, Bytes value);
};

class ProfileFiles {
 public:
  enum class Kind : uint8_t { kConfig, kCredentials };
  static constexpr size_t kMaxFileBytes = size_t{1} << 20;

  // Adds what a file says; later files win. kDenied: it is not of the form that it must have. The
  // message names `path` and the line, and shows nothing of it.
  Status Add(Bytes text, Kind kind, Bytes path);
  const Profile* Find(Bytes name) const noexcept;
  const Profile* FindSsoSession(Bytes name) const noexcept;

 private:
  std::vector<Profile> profiles_;
  std::vector<Profile> sso_sessions_;
};

}  // namespace chainstore::s3
