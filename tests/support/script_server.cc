#include "support/script_server.h"

#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

namespace chainstore::s3 {

ScriptServer::ScriptServer(Family family, const TlsIdentity* tls) : family_(family) {
  otherwise_ = {.bytes = Reply(500), .then = ScriptedAnswer::Then::kClose};
  if (tls) tls_ = std::make_unique<TlsServer>(*tls);
  const bool six = family == Family::kIPv6;
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_in6 address6 = {};
  address6.sin6_family = AF_INET6;
  address6.sin6_addr = in6addr_loopback;
  auto* const plain =
      six ? reinterpret_cast<sockaddr*>(&address6) : reinterpret_cast<sockaddr*>(&address);
  socklen_t size = six ? sizeof(address6) : sizeof(address);
  listener_ = socket(plain->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 64) != 0 ||
      getsockname(listener_, plain, &size) != 0) {
    abort();
  }
  port_ = ntohs(six ? address6.sin6_port : address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

std::string ScriptServer::endpoint() const {
  return std::string(tls_ ? "https" : "http") + "://" +
         (family_ == Family::kIPv6 ? "[::1]" : "127.0.0.1") + ":" + std::to_string(port_);
}

ScriptServer::~ScriptServer() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    shutdown(listener_, SHUT_RDWR);
    for (ScriptSocket* socket : sockets_) socket->Shutdown();
  }
  acceptor_.join();
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void ScriptServer::Add(ScriptedAnswer answer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_.push_back(std::move(answer));
}

void ScriptServer::Otherwise(ScriptedAnswer answer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_.clear();
  otherwise_ = std::move(answer);
  judge_ = nullptr;
  ++scripts_;
  changed_.notify_all();
}

void ScriptServer::Otherwise(Judge judge) {
  const std::lock_guard<std::mutex> lock(mutex_);
  answers_.clear();
  judge_ = std::move(judge);
  ++scripts_;
  changed_.notify_all();
}

std::vector<std::string> ScriptServer::requests() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return requests_;
}

size_t ScriptServer::connections() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return threads_.size();
}

bool ScriptServer::WaitForRequests(size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10),
                           [&] { return requests_.size() >= count; });
}

bool ScriptServer::WaitUntilAlone() {
  std::unique_lock<std::mutex> lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return sockets_.empty(); });
}

void ScriptServer::Accept() {
  for (;;) {
    const int descriptor = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard<std::mutex> lock(mutex_);
    if (descriptor < 0) return;
    auto* const socket = new ScriptSocket(descriptor, tls_.get());
    if (stopping_) return delete socket;
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket] { Serve(socket); });
  }
}

bool ScriptServer::ReadRequest(ScriptSocket* socket, std::string* left, bool head_only,
                               std::string* request) {
  const auto read_more = [&] {
    char buffer[65536];
    const ssize_t size = socket->Receive(buffer, sizeof(buffer));
    if (size <= 0) return false;
    left->append(buffer, static_cast<size_t>(size));
    return true;
  };
  size_t head_end;
  while ((head_end = left->find("\r\n\r\n")) == std::string::npos) {
    if (!read_more()) return false;
  }
  size_t size = head_end + 4;
  const size_t length = left->find("\r\nContent-Length: ");
  if (!head_only && length != std::string::npos && length < head_end) {
    size += strtoull(left->c_str() + length + 18, nullptr, 10);
  }
  while (left->size() < size) {
    if (!read_more()) return false;
  }
  *request = left->substr(0, size);
  left->erase(0, size);
  return true;
}

bool ScriptServer::TakeGreeting(ScriptedAnswer* answer) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!answers_.empty() ? !answers_.front().at_connect : !otherwise_.at_connect) return false;
  *answer = otherwise_;
  if (!answers_.empty()) {
    *answer = std::move(answers_.front());
    answers_.pop_front();
  }
  return true;
}

ScriptedAnswer ScriptServer::TakeAnswer(const std::string& request) {
  std::unique_lock<std::mutex> lock(mutex_);
  ScriptedAnswer answer = otherwise_;
  const Judge judge = answers_.empty() ? judge_ : nullptr;
  if (!answers_.empty()) {
    answer = std::move(answers_.front());
    answers_.pop_front();
  }
  requests_.push_back(request);
  changed_.notify_all();
  lock.unlock();
  return judge ? judge(request) : answer;
}

void ScriptServer::Serve(ScriptSocket* socket) {
  sigset_t broken_pipe;  // OpenSSL writes without MSG_NOSIGNAL
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  std::string left, request;
  bool keep = socket->Greet();
  if (ScriptedAnswer greeting; keep && TakeGreeting(&greeting)) Perform(socket, greeting, &keep);
  while (keep) {
    bool head_only = false;
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      head_only = answers_.empty() ? otherwise_.before_body : answers_.front().before_body;
    }
    if (!ReadRequest(socket, &left, head_only, &request)) break;
    Perform(socket, TakeAnswer(request), &keep);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  sockets_.erase(std::find(sockets_.begin(), sockets_.end(), socket));
  delete socket;
  changed_.notify_all();
}

void ScriptServer::Perform(ScriptSocket* socket, const ScriptedAnswer& answer, bool* keep) {
  using Then = ScriptedAnswer::Then;
  const auto is_left = [socket](int milliseconds) {
    pollfd gone = {socket->descriptor(), POLLRDHUP, 0};
    return poll(&gone, 1, milliseconds) != 0;
  };
  bool there = socket->Send(answer.bytes);
  *keep = there && answer.then == Then::kKeep;
  if (answer.then == Then::kReset) socket->Reset();
  if (answer.then == Then::kStall) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this, script = scripts_] { return stopping_ || scripts_ != script; });
  }
  if (answer.then == Then::kHang || answer.then == Then::kStall) {
    char buffer[65536];
    while (socket->Receive(buffer, sizeof(buffer)) > 0) {
    }
  }
  while (answer.then == Then::kDrip && !is_left(20) && socket->Send(" ")) {
  }
  while (answer.then == Then::kFlood && there) there = socket->Send(answer.flood);
}

std::string Reply(int status, const std::string& body, const std::string& headers) {
  return "HTTP/1.1 " + std::to_string(status) +
         " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\nETag: \"e\"\r\n" + headers +
         "\r\n" + body;
}

std::string ErrorBody(const std::string& code, const std::string& more) {
  return "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>m</Message>" + more +
         "<RequestId>R1</RequestId></Error>";
}

}  // namespace chainstore::s3
