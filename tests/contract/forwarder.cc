#include "contract/forwarder.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace contract {
namespace {

sockaddr_in Loopback(uint16_t port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// False: there is no more.
bool PassPart(int from, int to) {
  char buffer[65536];
  const ssize_t size = recv(from, buffer, sizeof(buffer), 0);
  for (ssize_t sent = 0; sent < size;) {
    const ssize_t part = send(to, buffer + sent, static_cast<size_t>(size - sent), MSG_NOSIGNAL);
    if (part <= 0) return false;
    sent += part;
  }
  return size > 0;
}

}  // namespace

Forwarder::Forwarder(uint16_t to_port) : to_port_(to_port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const plain = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, plain, size) != 0 || listen(listener_, 128) != 0 ||
      getsockname(listener_, plain, &size) != 0) {
    abort();
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

Forwarder::~Forwarder() {
  stopping_ = true;
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  SetUp(false);
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void Forwarder::SetUp(bool up) {
  const std::lock_guard<std::mutex> lock(mutex_);
  up_ = up;
  if (up) return;
  for (const int each : open_) shutdown(each, SHUT_RDWR);
}

void Forwarder::Accept() {
  for (;;) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client < 0 || stopping_) {
      if (client >= 0) close(client);
      return;
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (up_) {
      open_.push_back(client);
      threads_.emplace_back([this, client] { Pass(client); });
      continue;
    }
    ++refused_;
    const linger now = {1, 0};
    setsockopt(client, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    close(client);
  }
}

void Forwarder::Pass(int client) {
  const sockaddr_in address = Loopback(to_port_);
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) {
    pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    while (poll(both, 2, -1) > 0) {
      if (both[0].revents != 0 && !PassPart(client, server)) break;
      if (both[1].revents != 0 && !PassPart(server, client)) break;
    }
  }
  close(server);
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.erase(std::find(open_.begin(), open_.end(), client));
  close(client);
}

}  // namespace contract
