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

std::string Head(const char* status, size_t size) {
  return std::string("HTTP/1.1 ") + status +
         "\r\nETag: \"e\"\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
}

int64_t NowUs() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

struct Connection {
  std::string head;      // of a request, as far as it is in
  uint64_t to_skip = 0;  // bytes of its body that are still to come
  const std::string* answer = nullptr;
  const std::string* after_body = nullptr;  // the answer once the body is in
  size_t sent = 0;
};

// The other process: one thread, level-triggered.
class Responder {
 public:
  Responder(int listener, size_t value_size, int64_t delay_us, std::atomic<uint64_t>* requests)
      : listener_(listener),
        delay_us_(delay_us),
        requests_(requests),
        found_(Head("200 OK", value_size) + std::string(value_size, 'v')),
        missing_(Head("404 Not Found", kMissing.size()) + std::string(kMissing)),
        stored_(Head("200 OK", 0)),
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
    connections_.emplace(socket, Connection());
    Watch(socket, EPOLL_CTL_ADD, EPOLLIN);
  }

  bool Serve(int socket, uint32_t events) {
    const auto found = connections_.find(socket);
    if (found == connections_.end()) return true;
    Connection& connection = found->second;
    if (events & EPOLLOUT) return Send(socket, &connection);
    const ssize_t got = read(socket, buffer_.data(), buffer_.size());
    if (got <= 0) return got < 0 && errno == EAGAIN;
    return Take(socket, &connection, std::string_view(buffer_.data(), static_cast<size_t>(got)));
  }

  // One request at a time, as HTTP clients ask.
  bool Take(int socket, Connection* connection, std::string_view bytes) {
    if (connection->to_skip == 0) {
      connection->head.append(bytes);
      const size_t end = connection->head.find("\r\n\r\n");
      if (end == std::string::npos) return true;
      bytes = bytes.substr(bytes.size() - (connection->head.size() - end - 4));
      connection->to_skip = LengthIn(std::string_view(connection->head).substr(0, end));
      const bool missing = connection->head.substr(0, end).find("missing") != std::string::npos;
      connection->after_body = connection->head[0] == 'P' ? &stored_
                               : missing                  ? &missing_
                                                          : &found_;
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

  static uint64_t LengthIn(std::string_view head) {
    constexpr std::string_view kName = "\r\ncontent-length: ";
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    const auto at = std::search(head.begin(), head.end(), kName.begin(), kName.end(), same);
    if (at == head.end()) return 0;
    const std::string number(at + kName.size(), head.end());
    return strtoull(number.c_str(), nullptr, 10);
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
    connection->answer = connection->after_body;
    connection->sent = 0;
    return Send(socket, connection);
  }

  bool Send(int socket, Connection* connection) {
    const std::string& answer = *connection->answer;
    while (connection->sent < answer.size()) {
      const ssize_t sent = send(socket, answer.data() + connection->sent,
                                answer.size() - connection->sent, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) return false;
      if (sent < 0) {
        Watch(socket, EPOLL_CTL_MOD, EPOLLOUT);
        return true;
      }
      connection->sent += static_cast<size_t>(sent);
    }
    Watch(socket, EPOLL_CTL_MOD, EPOLLIN);
    return true;
  }

  struct Due {
    int64_t at_us;
    int socket;
  };
  const int listener_;
  const int64_t delay_us_;
  std::atomic<uint64_t>* const requests_;
  const std::string found_, missing_, stored_;
  std::vector<char> buffer_;
  int epoll_ = -1;
  int timer_ = -1;
  std::deque<Due> due_;
  std::unordered_map<int, Connection> connections_;
};

}  // namespace

StaticServer::StaticServer(size_t value_size, int64_t delay_us) {
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
  endpoint_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  process_ = fork();
  if (process_ < 0) Die("no process for the server");
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    Responder(listener, value_size, delay_us, requests_).Run();
  }
  close(listener);
}

StaticServer::~StaticServer() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  munmap(requests_, sizeof(std::atomic<uint64_t>));
}

}  // namespace bench
