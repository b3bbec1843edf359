#include "contract/toxi_proxy.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "contract/s3_subject.h"

namespace contract {
namespace {

// "http://HOST:PORT" without its scheme.
std::string Authority(const std::string& url) { return url.substr(url.find("//") + 2); }

}  // namespace

bool ToxiProxy::HasServer() { return !Variable("TOXIPROXY_URL").empty(); }

std::string ToxiProxy::Ask(const std::string& method, const std::string& path,
                           const std::string& body) {
  const std::string server = Authority(Variable("TOXIPROXY_URL"));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(atoi(server.c_str() + server.find(':') + 1)));
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::string answer;
  if (connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
    const std::string request =
        method + " " + path + " HTTP/1.1\r\nHost: " + server +
        "\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
        body;
    if (send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) > 0) {
      char buffer[4096];
      for (ssize_t size; (size = recv(descriptor, buffer, sizeof(buffer), 0)) > 0;) {
        answer.append(buffer, static_cast<size_t>(size));
      }
    }
  }
  close(descriptor);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 20")) << method << " " << path << ": " << answer;
  return answer.substr(std::min(answer.size(), answer.find("\r\n\r\n")));
}

ToxiProxy::ToxiProxy(std::string name) : name_(std::move(name)) {
  const std::string made =
      Ask("POST", "/proxies",
          "{\"name\":\"" + name_ + "\",\"listen\":\"127.0.0.1:0\",\"upstream\":\"" +
              Authority(Variable("S3_ENDPOINT")) + "\",\"enabled\":true}");
  const std::string listen = "\"listen\":\"";
  const size_t at = made.find(listen);
  if (at == std::string::npos) return;
  const size_t begin = at + listen.size();
  endpoint_ = "http://" + made.substr(begin, made.find('"', begin) - begin);
}

ToxiProxy::~ToxiProxy() { Ask("DELETE", "/proxies/" + name_, ""); }

void ToxiProxy::Add(const std::string& name, const std::string& type, bool upstream,
                    const std::string& attributes) {
  Ask("POST", "/proxies/" + name_ + "/toxics",
      "{\"name\":\"" + name + "\",\"type\":\"" + type + "\",\"stream\":\"" +
          (upstream ? "upstream" : "downstream") + "\",\"toxicity\":1.0,\"attributes\":{" +
          attributes + "}}");
}

void ToxiProxy::SetUp(bool up) {
  Ask("POST", "/proxies/" + name_, std::string("{\"enabled\":") + (up ? "true" : "false") + "}");
}

void ToxiProxy::Reset() { Ask("POST", "/reset", ""); }

}  // namespace contract
