#include "static_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "harness.h"

namespace bench {
namespace {

constexpr std::string_view kMissing =
    "<?xml version=\"1.0\"?><Error><Code>NoSuchKey</Code><Message>no</Message></Error>";

constexpr std::string_view kInitiated =
    "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
constexpr std::string_view kCompleted =
    "<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>";

std::string Head(const char* status, size_t size, const std::string& more = "") {
  return std::string("HTTP/1.1 ") + status + "\r\nETag: \"e\"\r\n" + more +
         "Content-Length: " + std::to_string(size) + "\r\n\r\n";
}

std::string Whole(const char* status, std::string_view body) {
  return Head(status, body.size()) + std::string(body);
}

int64_t NowUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

struct Connection {
  SSL* tls = nullptr;
  std::string head;         // of a request, as far as it is in
  uint64_t to_skip = 0;     // bytes of its body that are still to come
  std::string own;          // what only this answer begins with
  std::string_view answer;  // what follows, of what many have
  size_t sent = 0;          // of both
  bool is_sending = false;  // waits until it may send more
};

// The other process: one thread, level-triggered.
class Responder {
 public:
  Responder(int listener, size_t value_size, int64_t delay_us, SSL_CTX* tls,
            std::atomic<uint64_t>* requests)
      : listener_(listener),
        delay_us_(delay_us),
        tls_(tls),
        requests_(requests),
        value_size_(value_size),
        found_(Head("200 OK", value_size) + std::string(value_size, 'v')),
        missing_(Whole("404 Not Found", kMissing)),
        stored_(Whole("200 OK", "")),
        initiated_(Whole("200 OK", kInitiated)),
        completed_(Whole("200 OK", kCompleted)),
        buffer_(size_t{1} << 18) {
    epoll_ = epoll_create1(0);
    timer_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    Watch(listener_, EPOLL_CTL_ADD, EPOLLIN);
    Watch(timer_, EPOLL_CTL_ADD, EPOLLIN);
  }

  [[noreturn]] void Run() {
    std::array<epoll_event, 128> events;
    for (;;) {
      const int count = epoll_wait(epoll_, events.data(), events.size(), -1);
      for (int at = 0; at < count; ++at) {
        const epoll_event& event = events[static_cast<size_t>(at)];
        if (event.data.fd == listener_) {
          Accept();
        } else if (event.data.fd == timer_) {
          AnswerDue();
        } else if (!Serve(event.data.fd, event.events)) {
          SSL_free(connections_.at(event.data.fd).tls);
          connections_.erase(event.data.fd);
          close(event.data.fd);
        }
      }
    }
  }

 private:
  void Watch(int file, int how, uint32_t events) {
    epoll_event event = {};
    event.events = events;
    event.data.fd = file;
    epoll_ctl(epoll_, how, file, &event);
  }

  void Accept() {
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK);
    if (socket < 0) return;
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Connection& connection = connections_[socket];
    if (tls_) {
      connection.tls = SSL_new(tls_);
      SSL_set_fd(connection.tls, socket);
      SSL_set_accept_state(connection.tls);
    }
    Watch(socket, EPOLL_CTL_ADD, EPOLLIN);
  }

  bool Serve(int socket, uint32_t events) {
    const auto found = connections_.find(socket);
    if (found == connections_.end()) return true;
    Connection& connection = found->second;
    if (events & EPOLLOUT) return Send(socket, &connection);
    do {
      const ssize_t got = Receive(socket, &connection);
      if (got <= 0) return got < 0;
      const std::string_view bytes(buffer_.data(), static_cast<size_t>(got));
      if (!Take(socket, &connection, bytes)) return false;
    } while (connection.tls);  // what it has read ahead, epoll does not tell
    return true;
  }

  // -1: nothing more for now; 0: the connection has ended.
  ssize_t Receive(int socket, Connection* connection) {
    if (!connection->tls) {
      const ssize_t got = read(socket, buffer_.data(), buffer_.size());
      return got < 0 && errno != EAGAIN ? 0 : got;
    }
    const int got = SSL_read(connection->tls, buffer_.data(), static_cast<int>(buffer_.size()));
    return got > 0 ? got : WantsMore(connection, got) ? -1 : 0;
  }

  ssize_t SendSome(int socket, Connection* connection, std::string_view bytes, bool more) {
    if (!connection->tls) {
      const int flags = MSG_NOSIGNAL | (more ? MSG_MORE : 0);
      const ssize_t sent = send(socket, bytes.data(), bytes.size(), flags);
      return sent < 0 && errno != EAGAIN ? 0 : sent;
    }
    constexpr size_t kMost = size_t{1} << 18;
    const auto size = static_cast<int>(std::min(bytes.size(), kMost));
    const int sent = SSL_write(connection->tls, bytes.data(), size);
    return sent > 0 ? sent : WantsMore(connection, sent) ? -1 : 0;
  }

  static bool WantsMore(Connection* connection, int result) {
    const int error = SSL_get_error(connection->tls, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

  // One request at a time, as HTTP clients ask.
  bool Take(int socket, Connection* connection, std::string_view bytes) {
    if (connection->to_skip == 0) {
      connection->head.append(bytes);
      const size_t end = connection->head.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      bytes = bytes.substr(bytes.size() - (connection->head.size() - end - 4));
      ChooseAnswer(std::string_view(connection->head).substr(0, end), connection);
      connection->head.clear();
      requests_->fetch_add(1);
    }
    connection->to_skip -= std::min<uint64_t>(connection->to_skip, bytes.size());
    if (connection->to_skip != 0) return true;
    if (delay_us_ != 0) {
      due_.push_back({NowUs() + delay_us_, socket});
      if (due_.size() == 1) SetTimer();
      return true;
    }
    return Answer(socket, connection);
  }

  void ChooseAnswer(std::string_view head, Connection* connection) {
    const auto has = [head](std::string_view text) { return head.find(text) != head.npos; };
    connection->to_skip = strtoull(ValueOf(head, "content-length").c_str(), nullptr, 10);
    connection->own.clear();
    const std::string range = ValueOf(head, "range");
    if (head.starts_with("PUT") || head.starts_with("DELETE")) {
      connection->answer = stored_;
    } else if (head.starts_with("POST")) {
      connection->answer = has("?uploads=") ? initiated_ : completed_;
    } else if (has("missing")) {
      connection->answer = missing_;
    } else if (range.empty()) {
      connection->answer = found_;
    } else {
      char* end = nullptr;
      const uint64_t first = strtoull(range.c_str() + strlen("bytes="), &end, 10);
      const uint64_t last = std::min<uint64_t>(strtoull(end + 1, nullptr, 10), value_size_ - 1);
      connection->own = Head("206 Partial Content", last - first + 1,
                             "Content-Range: bytes " + std::to_string(first) + "-" +
                                 std::to_string(last) + "/" + std::to_string(value_size_) + "\r\n");
      const size_t head_size = found_.size() - value_size_;
      connection->answer = std::string_view(found_).substr(head_size + first, last - first + 1);
    }
  }

  static std::string ValueOf(std::string_view head, std::string_view name) {
    const std::string line = "\r\n" + std::string(name) + ": ";
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    const auto at = std::search(head.begin(), head.end(), line.begin(), line.end(), same);
    if (at == head.end()) return "";
    const std::string_view value =
        head.substr(static_cast<size_t>(at - head.begin()) + line.size());
    return std::string(value.substr(0, value.find('\r')));
  }

  void SetTimer() {
    const int64_t left_us = std::max<int64_t>(1, due_.front().at_us - NowUs());
    itimerspec when = {};
    when.it_value.tv_sec = left_us / 1'000'000;
    when.it_value.tv_nsec = left_us % 1'000'000 * 1000;
    timerfd_settime(timer_, 0, &when, nullptr);
  }

  void AnswerDue() {
    uint64_t times = 0;
    [[maybe_unused]] const ssize_t got = read(timer_, &times, sizeof times);
    while (!due_.empty() && due_.front().at_us <= NowUs()) {
      const auto found = connections_.find(due_.front().socket);
      if (found != connections_.end()) Answer(found->first, &found->second);
      due_.pop_front();
    }
    if (!due_.empty()) SetTimer();
  }

  bool Answer(int socket, Connection* connection) {
    connection->sent = 0;
    return Send(socket, connection);
  }

  bool Send(int socket, Connection* connection) {
    const size_t own = connection->own.size();
    while (connection->sent < own + connection->answer.size()) {
      const bool begins = connection->sent < own;
      const std::string_view left = begins
                                        ? std::string_view(connection->own).substr(connection->sent)
                                        : connection->answer.substr(connection->sent - own);
      const ssize_t sent = SendSome(socket, connection, left, begins);
      if (sent == 0) return false;
      if (sent < 0) {
        if (!connection->is_sending) Watch(socket, EPOLL_CTL_MOD, EPOLLOUT);
        connection->is_sending = true;
        return true;
      }
      connection->sent += static_cast<size_t>(sent);
    }
    if (connection->is_sending) Watch(socket, EPOLL_CTL_MOD, EPOLLIN);
    connection->is_sending = false;
    return true;
  }

  struct Due {
    int64_t at_us;
    int socket;
  };
  const int listener_;
  const int64_t delay_us_;
  SSL_CTX* const tls_;
  std::atomic<uint64_t>* const requests_;
  const size_t value_size_;
  const std::string found_, missing_, stored_, initiated_, completed_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  int timer_ = -1;
  std::deque<Due> due_;
  std::unordered_map<int, Connection> connections_;
};

}  // namespace

StaticServer::StaticServer(size_t value_size, int64_t delay_us, const TlsIdentity* identity) {
  void* const shared = mmap(nullptr, sizeof(std::atomic<uint64_t>), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) Die("no memory for the server");
  requests_ = new (shared) std::atomic<uint64_t>(0);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const where = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener, where, size) != 0 || listen(listener, 1024) != 0 ||
      getsockname(listener, where, &size) != 0) {
    Die("the server cannot listen on loopback");
  }
  endpoint_ = (identity ? "https://127.0.0.1:" : "http://127.0.0.1:") +
              std::to_string(ntohs(address.sin_port));
  process_ = fork();
  if (process_ < 0) Die("no process for the server");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    SSL_CTX* const tls = identity ? identity->NewServerContext() : nullptr;
    Responder(listener, value_size, delay_us, tls, requests_).Run();
  }
  close(listener);
}

StaticServer::~StaticServer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  munmap(requests_, sizeof(std::atomic<uint64_t>));
}

}  // namespace bench
