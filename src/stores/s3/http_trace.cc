#include "stores/s3/http_trace.h"

#include <unistd.h>

#include <cstdlib>

#include "base/file.h"
#include "stores/s3/secret_headers.h"

namespace chainstore::s3 {
namespace {

// A line of its own whatever a server sends.
std::string Printable(Bytes text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

// The access key's id and what was signed help to find a fault; the signature is of no use but to
// those who should not have it.
std::string Masked(Bytes name, Bytes value) {
  const size_t signature = value.find("Signature=");
  if (name == "authorization" && value.starts_with("AWS4-") && signature != Bytes::npos) {
    return Printable(value.substr(0, signature)) + "Signature=***";
  }
  return IsSecretHeader(name) ? "***" : Printable(value);
}

void AddHeaders(const std::vector<std::pair<std::string, std::string>>& headers, const char* mark,
                std::string* out) {
  for (const auto& [name, value] : headers) {
    out->append(mark).append(Printable(name)).append(": ").append(Masked(name, value)) += '\n';
  }
}

std::string Milliseconds(int64_t us) {
  std::string text = std::to_string(us / 1000) + "." + std::to_string(us % 1000 + 1000).substr(1);
  return text + " ms";
}

// The path and query, without what a pre-signed URL lets others in with.
std::string TargetOf(const std::string& url) {
  const size_t host = url.find("://");
  const size_t path = host == std::string::npos ? 0 : url.find('/', host + 3);
  std::string target = path == std::string::npos ? "/" : url.substr(path);
  for (const char* const secret : {"X-Amz-Signature=", "X-Amz-Security-Token="}) {
    const size_t at = target.find(secret);
    if (at == std::string::npos) continue;
    const size_t begin = at + Bytes(secret).size();
    const size_t end = target.find('&', begin);
    target.replace(begin, end == std::string::npos ? end : end - begin, "***");
  }
  return Printable(target);
}

std::string HostOf(const std::string& url) {
  const size_t begin = url.find("://");
  if (begin == std::string::npos) return "";
  return url.substr(begin + 3, url.find('/', begin + 3) - begin - 3);
}

}  // namespace

bool IsHttpTraced() {
  const char* const value = getenv("CHAINSTORE_TRACE");
  return value && ("," + std::string(value) + ",").find(",http,") != std::string::npos;
}

std::string TraceText(const HttpRequest& request, const HttpReply& reply,
                      const HttpTiming& timing) {
  std::string out = "> " + request.method + " " + TargetOf(request.url) + " HTTP/1.1\n";
  out += "> host: " + HostOf(request.url) + "\n";
  AddHeaders(request.headers, "> ", &out);
  if (request.has_body) out += "> (" + std::to_string(request.body.size()) + " bytes)\n";
  if (reply.status != 0) out += "< HTTP " + std::to_string(reply.status) + "\n";
  AddHeaders(reply.headers, "< ", &out);
  if (reply.status != 0) out += "< (" + std::to_string(reply.received) + " bytes)\n";
  out += std::string("* ") + (timing.reused ? "connection reused" : "new connection");
  out += ", ready after " + Milliseconds(timing.connected_us);
  if (timing.first_byte_us != 0) out += ", first byte " + Milliseconds(timing.first_byte_us);
  out += ", end " + Milliseconds(timing.total_us);
  if (reply.ended != Code::kOk) {
    out += std::string(": ") + CodeName(reply.ended);
    if (!reply.failure.empty()) out += ", " + Printable(reply.failure);
  }
  return out + "\n";
}

void WriteTrace(const std::string& text) { WriteAll(STDERR_FILENO, text); }

}  // namespace chainstore::s3
