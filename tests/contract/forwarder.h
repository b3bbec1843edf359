// Forwarder: passes the connections of a port of its own on to a server on loopback, until an
// outage is made: then those that are there end, and new ones are counted and reset. Thread safety:
// any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace contract {

class Forwarder {
 public:
  explicit Forwarder(uint16_t to_port);
  ~Forwarder();
  Forwarder(const Forwarder&) = delete;
  Forwarder& operator=(const Forwarder&) = delete;

  uint16_t port() const noexcept { return port_; }
  void SetUp(bool up);
  size_t refused() const noexcept { return refused_; }

 private:
  void Accept();
  void Pass(int client);

  const uint16_t to_port_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<size_t> refused_{0};
  std::mutex mutex_;
  bool up_ = true;
  std::vector<int> open_;  // what SetUp and the destructor end
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace contract
