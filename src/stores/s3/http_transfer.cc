#include "stores/s3/http_transfer.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "base/ascii.h"
#include "stores/s3/http_origin.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxHeaderBytes = size_t{64} << 10;
constexpr uint64_t kMaxErrorBytes = uint64_t{1} << 20;
// What a large body is read and written in: curl's own 16 KiB halves the speed of a large get.
constexpr long kBufferBytes = 512 << 10;
constexpr long kSmallBytes = 16 << 10;

// curl takes a number that is too large for none, and of two the last: the value would be what
// happens to come.
bool IsLength(Bytes text, const std::string* before) {
  int64_t length = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, length);
  return error == std::errc() && stopped == end && length >= 0 && (!before || *before == text);
}

}  // namespace

const std::string* HttpReply::Find(Bytes name) const noexcept {
  for (const auto& header : headers) {
    if (header.first == name) return &header.second;
  }
  return nullptr;
}

HttpTransfer::~HttpTransfer() { OPENSSL_cleanse(header_text_.data(), header_text_.size()); }

void HttpTransfer::WatchTokens(LoopWaker::Function wake, void* context) {
  if (request_.cancel) cancel_waker_.Watch(request_.cancel, wake, context);
  if (request_.closing) closing_waker_.Watch(request_.closing, wake, context);
}

Code HttpTransfer::Ended(int64_t now_ns) const noexcept {
  if (request_.cancel && request_.cancel->fired()) return Code::kCancelled;
  if (request_.closing && request_.closing->fired()) return Code::kClosed;
  return now_ns >= request_.deadline_ns ? Code::kTimeout : Code::kOk;
}

// ---- Setting up ----

// One block of text and one of lines, and not two allocations a header.
void HttpTransfer::WriteHeaders(bool keep) {
  // Without a wait for "100 Continue"; without a type that curl would make up.
  constexpr Bytes kLeftOut[] = {"Expect:", "Content-Type:"};
  // As a line like the others: curl would write its own option for it twice, byte by byte.
  constexpr Bytes kUserAgent = "User-Agent: chainstore";
  size_t size = kUserAgent.size() + 1;
  for (const Bytes line : kLeftOut) size += line.size() + 1;
  for (const auto& [name, value] : request_.headers) size += name.size() + value.size() + 3;
  header_text_.reserve(size);  // all of it: what grows leaves copies of secrets behind
  header_lines_.reserve(1 + std::size(kLeftOut) + request_.headers.size());
  const auto add = [this](std::initializer_list<Bytes> parts) {
    char* const line = header_text_.data() + header_text_.size();
    for (const Bytes part : parts) header_text_.append(part);
    header_text_.push_back('\0');
    if (!header_lines_.empty()) header_lines_.back().next = &header_lines_.back() + 1;
    header_lines_.push_back({line, nullptr});
  };
  add({kUserAgent});
  for (const Bytes line : kLeftOut) {
    if (request_.has_body) add({line});
  }
  for (const auto& [name, value] : request_.headers) {
    // curl leaves a header without a value out, unless it ends with a semicolon.
    add({name, value.empty() ? ";" : ": ", value});
  }
  if (keep) return;
  WipeSecrets(&request_.headers);
  request_.headers = {};
}

void HttpTransfer::SetBody(CURL* easy) {
  if (request_.has_body) {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    curl_easy_setopt(easy, CURLOPT_READDATA, this);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, this);
    curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE,
                     request_.body.size() > kSmallBytes ? kBufferBytes : kSmallBytes);
  }
  if (request_.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request_.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
  }
}

namespace {

// curl looks for them at each request.
bool IsProxyInEnvironment() {
  constexpr const char* kNames[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
                                    "ALL_PROXY"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [](const char* name) { return getenv(name) != nullptr; });
}

void SetSecurity(CURL* easy, const HttpSettings& settings) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, long{CURLPROTO_HTTP | CURLPROTO_HTTPS});
#endif
  curl_easy_setopt(easy, CURLOPT_NETRC, long{CURL_NETRC_IGNORED});
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, long{CURL_SSLVERSION_TLSv1_2});
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, settings.insecure_tls ? 0L : 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, settings.insecure_tls ? 0L : 2L);
  if (!settings.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, settings.ca_file.c_str());
  if (!settings.ca_path.empty()) curl_easy_setopt(easy, CURLOPT_CAPATH, settings.ca_path.c_str());
  if (HttpTransfer::IsDirect(settings)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  } else if (!settings.proxy.empty()) {
    curl_easy_setopt(easy, CURLOPT_PROXY, settings.proxy.c_str());
  }
}

}  // namespace

bool HttpTransfer::IsDirect(const HttpSettings& settings) {
  return settings.no_proxy || (settings.proxy.empty() && !IsProxyInEnvironment());
}

void HttpTransfer::SetUp(CURL* easy, const HttpSettings& settings) {
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, long{CURL_HTTP_VERSION_1_1});
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, settings.connect_timeout_ms);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, settings.stall_seconds);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, settings.idle_seconds);
#if LIBCURL_VERSION_NUM >= 0x075700
  // Otherwise a transfer that is taken down waits for the resolver's thread.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnRead);
  curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, OnSeek);
  SetSecurity(easy, settings);
}

bool HttpTransfer::is_large() const noexcept {
  return std::max(received_, request_.body.size()) > static_cast<size_t>(kSmallBytes);
}

bool HttpTransfer::SetUrl(CURL* easy, CURLU* origin) {
  const Bytes target = origin ? TargetOfUrl(request_.url) : Bytes();
  curl_easy_setopt(easy, CURLOPT_CURLU, origin);
  return curl_easy_setopt(easy, CURLOPT_REQUEST_TARGET, target.data()) == CURLE_OK &&
         (origin || curl_easy_setopt(easy, CURLOPT_URL, request_.url.c_str()) == CURLE_OK);
}

bool HttpTransfer::Prepare(CURL* easy, CURLU* origin, bool large) {
  easy_ = easy;
  // Memory of half a MiB for each answer of a few bytes would be taken and given back each time.
  large = large || (request_.room && request_.max_body_bytes > uint64_t{kSmallBytes});
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, large ? kBufferBytes : kSmallBytes);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, error_text_);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, this);
  SetBody(easy);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, header_lines_.data());
  return SetUrl(easy, origin);
}

CURL* HttpTransfer::TakeEasy() noexcept {
  CURL* const easy = std::exchange(easy_, nullptr);
  if (!easy) return nullptr;
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, nullptr);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, nullptr);
  if (request_.method == "GET" && !request_.has_body) return easy;
  curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);  // no upload any more, and a body in the answer
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, nullptr);
  curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, curl_off_t{-1});
  return easy;
}

// ---- What comes in ----

size_t HttpTransfer::OnHeader(char* data, size_t size, size_t count, void* self) noexcept try {
  return static_cast<HttpTransfer*>(self)->TakeHeader(Bytes(data, size * count)) ? size * count : 0;
} catch (...) {
  static_cast<HttpTransfer*>(self)->refused_ = Code::kNoMemory;
  return 0;
}

size_t HttpTransfer::OnBody(char* data, size_t size, size_t count, void* self) noexcept try {
  return static_cast<HttpTransfer*>(self)->TakeBody(Bytes(data, size * count)) ? size * count : 0;
} catch (...) {
  static_cast<HttpTransfer*>(self)->refused_ = Code::kNoMemory;
  return 0;
}

bool HttpTransfer::RefuseHeader(const char* why) noexcept {
  refused_ = Code::kIo;
  refused_why_ = why;
  return false;
}

bool HttpTransfer::TakeHeader(Bytes line) {
  header_bytes_ += line.size();
  if (header_bytes_ > kMaxHeaderBytes) {
    return RefuseHeader("the answer's headers are longer than 64 KiB");
  }
  if (line.starts_with("HTTP/")) {  // also after an interim answer: what came before is void
    reply_.headers.clear();
    received_ = 0;
    is_success_ = line.find(" 2") == line.find(' ');
    is_partial_ = line.find(" 206") == line.find(' ');
    return true;
  }
  if (Trimmed(line).empty()) return true;  // the last one
  const size_t colon = line.find(':');
  // Newer versions of curl refuse these themselves.
  if (colon == Bytes::npos || line.find('\0') != Bytes::npos) {
    return RefuseHeader("the answer has a header line that is none");
  }
  std::string name = LowerCase(Trimmed(line.substr(0, colon)));
  const Bytes value = Trimmed(line.substr(colon + 1));
  if (name == "content-length" && !IsLength(value, reply_.Find(name))) {
    return RefuseHeader("the answer's length is no number, or there are two of it");
  }
  if (reply_.headers.empty()) reply_.headers.reserve(16);
  reply_.headers.emplace_back(std::move(name), value);
  return true;
}

// A value of the size that the server announced, or one that grows.
bool HttpTransfer::MakeRoom(size_t size) {
  const size_t needed = received_ + size;
  if (value_ && needed <= value_->size()) return true;
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  const bool ok = status >= 200 && status < 300;
  const uint64_t most = ok ? request_.max_body_bytes : kMaxErrorBytes;
  curl_off_t announced = -1;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  const uint64_t wanted = std::max<uint64_t>(needed, announced < 0 ? 0 : uint64_t(announced));
  if (wanted > most) {
    // A refusal of that size is no refusal of S3: its meaning is lost, as with a lost connection.
    refused_ = ok ? Code::kTooLarge : Code::kIo;
    refused_why_ = ok ? "the answer is larger than it may be" : "a refusal of more than 1 MiB";
    return false;
  }
  uint64_t room = wanted;
  if (announced < 0) room = std::min<uint64_t>(most, std::max<uint64_t>(2 * needed, 4096));
  char* data = nullptr;
  Ref<Value> larger = Value::Allocate(room, &data);
  if (received_ != 0) memcpy(data, room_, received_);
  value_ = std::move(larger);
  room_ = data;
  return true;
}

// Whether the answer is one that the caller would rather have otherwise, now that its size is
// known.
bool HttpTransfer::IsCut() {
  curl_off_t announced = -1;
  curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
  const uint64_t size = announced < 0 ? 0 : uint64_t(announced);
  const bool too_large = size > request_.max_body_bytes;  // and is refused
  reply_.cut = request_.room ? !is_partial_
                             : request_.cut_from != 0 && size >= request_.cut_from && !too_large;
  if (reply_.cut) reply_.announced = size;
  return reply_.cut;
}

bool HttpTransfer::TakeIntoRoom(Bytes data) {
  if (data.size() > request_.max_body_bytes - received_) {
    refused_ = Code::kTooLarge;
    refused_why_ = "the answer is larger than the range that was asked for";
    return false;
  }
  memcpy(request_.room + received_, data.data(), data.size());
  received_ += data.size();
  return true;
}

bool HttpTransfer::TakeBody(Bytes data) {
  if (is_success_ && received_ == 0 && IsCut()) return false;
  if (is_success_ && request_.room) return TakeIntoRoom(data);
  if (!MakeRoom(data.size())) return false;
  memcpy(room_ + received_, data.data(), data.size());
  received_ += data.size();
  return true;
}

// ---- What goes out ----

size_t HttpTransfer::OnRead(char* buffer, size_t size, size_t count, void* self) noexcept {
  auto* transfer = static_cast<HttpTransfer*>(self);
  const Bytes body = transfer->request_.body;
  const size_t part = std::min(size * count, body.size() - transfer->body_at_);
  if (part != 0) memcpy(buffer, body.data() + transfer->body_at_, part);
  transfer->body_at_ += part;
  return part;
}

int HttpTransfer::OnSeek(void* self, curl_off_t offset, int origin) noexcept {
  auto* transfer = static_cast<HttpTransfer*>(self);
  if (origin != SEEK_SET || offset < 0 || size_t(offset) > transfer->request_.body.size())
    return CURL_SEEKFUNC_FAIL;
  transfer->body_at_ = static_cast<size_t>(offset);
  return CURL_SEEKFUNC_OK;
}

// ---- The end ----

HttpTiming HttpTransfer::Timing() const {
  long connects = 0;
  curl_off_t first_us = 0, connected_us = 0, total_us = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(easy_, CURLINFO_STARTTRANSFER_TIME_T, &first_us);
  curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connected_us);
  curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &total_us);
  return {connected_us, first_us, total_us, connects == 0 && connected_us != 0};
}

void HttpTransfer::Count(const HttpTiming& timing, HttpMeters* meters) const {
  long connects = 0;
  curl_off_t sent = 0, received = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent);
  curl_easy_getinfo(easy_, CURLINFO_SIZE_DOWNLOAD_T, &received);
  const auto add = [](std::atomic<uint64_t>& number, int64_t by) {
    number.fetch_add(static_cast<uint64_t>(by), std::memory_order_relaxed);
  };
  add(meters->requests, 1);
  add(meters->connections, connects);
  add(meters->reused, timing.reused);
  add(meters->sent_bytes, sent);
  add(meters->received_bytes, received);
  if (timing.first_byte_us == 0) return;
  add(meters->first_bytes, 1);
  add(meters->first_byte_us, timing.first_byte_us);
}

HttpReply HttpTransfer::Finish(CURLcode code, const HttpTiming& timing) {
  long status = 0;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  reply_.first_byte_ns = timing.first_byte_us * 1000;
  reply_.connected = timing.connected_us != 0;
  reply_.status = static_cast<int>(status);
  reply_.received = received_;
  if (code == CURLE_OK || reply_.cut) {
    if (!value_) {
      value_ = Value::Allocate(0, &room_);
    } else if (received_ != value_->size()) {
      value_ = Value::Copy(Bytes(room_, received_));
    }
    reply_.body = std::move(value_);
    return std::move(reply_);
  }
  long os_error = 0;
  curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  reply_.no_route = code == CURLE_COULDNT_CONNECT &&
                    (os_error == ENETUNREACH || os_error == EHOSTUNREACH || os_error == ENETDOWN);
  reply_.ended = refused_ != Code::kOk ? refused_ : Code::kIo;
  if (code == CURLE_OUT_OF_MEMORY) reply_.ended = Code::kNoMemory;
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
    reply_.ended = Code::kDenied;
  }
  reply_.failure = *refused_why_    ? refused_why_
                   : error_text_[0] ? error_text_
                                    : curl_easy_strerror(code);
  return std::move(reply_);
}

}  // namespace chainstore::s3
