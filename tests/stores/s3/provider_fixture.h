// ProviderTest: a scripted service on loopback, a home directory, and settings that point to both,
// with limits that make a test quick.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "stores/s3/credentials.h"
#include "stores/s3/provider_settings.h"
#include "support/script_server.h"
#include "support/temporary_directory.h"

namespace chainstore::s3 {

class ProviderTest : public ::testing::Test {
 protected:
  using Found = Result<Ref<const Identity>>;
  ProviderTest() {
    // One that answers is given time; what tests a slow one sets a limit of its own.
    settings_.instance = settings_.container = settings_.service = {2000, 20'000, 3};
    settings_.region = "eu-west-1";
    Set("HOME", directory_.path());
    Set("AWS_EC2_METADATA_SERVICE_ENDPOINT", server_.endpoint());
    Set("AWS_ENDPOINT_URL_STS", server_.endpoint());
    Set("AWS_ENDPOINT_URL_SSO", server_.endpoint());
  }

  // One where nobody is: who uses it gets nowhere.
  void SetDeadProxy() { settings_.http.proxy = "http://127.0.0.1:1"; }
  void Set(const char* name, const std::string& value) { settings_.variables.Set(name, value); }
  // A file below the home directory; its path.
  std::string Write(const std::string& name, const std::string& text) {
    for (size_t at = name.find('/'); at != std::string::npos; at = name.find('/', at + 1)) {
      mkdir((directory_.path() + "/" + name.substr(0, at)).c_str(), 0700);
    }
    std::ofstream(directory_.path() + "/" + name) << text;
    return directory_.path() + "/" + name;
  }
  // "key/secret/token/milliseconds from", or the failure.
  static std::string Show(const Found& found) {
    if (!found.ok()) return found.status().ToString();
    const Identity& who = **found;
    return who.access_key + "/" + std::string(who.secret.Reveal()) + "/" +
           std::string(who.session_token.Reveal()) + "/" + std::to_string(who.expires_at_ms) + " " +
           who.source;
  }
  // The request's first line.
  std::string Line(size_t at) {
    const auto requests = server_.requests();
    return at < requests.size() ? requests[at].substr(0, requests[at].find('\r')) : "-";
  }
  bool Sent(size_t at, const std::string& text) {
    const auto requests = server_.requests();
    return at < requests.size() && requests[at].find(text) != std::string::npos;
  }

  static constexpr const char* kKeys =
      R"({"Code":"Success","AccessKeyId":"id","SecretAccessKey":"unspoken","Token":"tok",)"
      R"("Expiration":"2013-05-24T00:00:00Z"})";
  static constexpr const char* kShown = "id/unspoken/tok/1369353600000 ";

  TemporaryDirectory directory_;
  ScriptServer server_;
  ProviderSettings settings_;
  Ref<CancelToken> stop_ = MakeRef<CancelToken>();
};

}  // namespace chainstore::s3
