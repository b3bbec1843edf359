// HttpLoop: the one HTTP thread of the library, which drives the pools of all clients. It starts
// with the first request, blocks all signals, sleeps while nothing is under way, and is gone with
// its last user.
// Thread safety: any thread.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/file.h"
#include "base/mutex.h"
#include "stores/s3/http_pool.h"

namespace chainstore::s3 {

class HttpLoop final : public std::enable_shared_from_this<HttpLoop>, private SocketWatcher {
 public:
  // The loop that runs, or a new one (a forked child gets one of its own). Each user releases it.
  static std::shared_ptr<HttpLoop> Acquire();
  void Release();

  // Takes the transfer, or throws and leaves it.
  void Send(const std::shared_ptr<HttpPool>& pool, std::unique_ptr<HttpTransfer>* transfer)
      CS_EXCLUDES(mutex_);
  // When it returns, everything of the pool has been answered and its connections are closed; on
  // the HTTP thread itself that comes later.
  void End(std::shared_ptr<HttpPool> pool) CS_EXCLUDES(mutex_);

 private:
  struct Slot;
  struct Sent {
    std::shared_ptr<HttpPool> pool;
    std::unique_ptr<HttpTransfer> transfer;
  };
  HttpLoop();
  static Slot& TheSlot();
  void Spawn();
  void Run();
  // False: it is time to stop.
  bool TakeInbox() CS_EXCLUDES(mutex_);
  // False: there is something to do. Else whoever brings something wakes it.
  bool FallAsleep() CS_EXCLUDES(mutex_);
  int SleepMs() const;
  // Takes what sockets are ready, waiting for the first; how many events there were.
  int TakeEvents(int timeout_ms);
  void OnEvent(curl_socket_t socket, uint32_t events);
  void Wake() noexcept;
  static void WakeByToken(void* self) noexcept;
  void Opened(HttpPool* pool, curl_socket_t socket) noexcept override;
  void Watch(HttpPool* pool, curl_socket_t socket, int what) noexcept override;
  void Closing(curl_socket_t socket) noexcept override;

  // A socket as curl wants it watched and as it is. A connection that waits for its next request
  // stays as it is: to take it out and put it in again would be two system calls a request.
  struct Socket {
    HttpPool* pool = nullptr;
    bool tells_its_end = false;  // Closing comes before it is closed
    bool is_wanted = false;
    uint32_t watched_for = 0;  // of epoll; 0: it is not in it
  };
  void SetEvents(curl_socket_t number, Socket* socket, uint32_t events) noexcept;

  const FileDescriptor epoll_;
  const FileDescriptor event_;
  std::atomic<bool> token_fired_{false};

  // The thread's own.
  std::vector<std::shared_ptr<HttpPool>> pools_;
  std::unordered_map<curl_socket_t, Socket> sockets_;
  std::vector<Sent> taken_;

  Mutex mutex_;
  CondVar ended_changed_;
  std::vector<Sent> inbox_ CS_GUARDED_BY(mutex_);
  bool asleep_ CS_GUARDED_BY(mutex_) = false;  // and nobody has woken it yet
  std::vector<std::shared_ptr<HttpPool>> to_end_ CS_GUARDED_BY(mutex_);
  uint64_t ends_asked_ CS_GUARDED_BY(mutex_) = 0;
  uint64_t ends_done_ CS_GUARDED_BY(mutex_) = 0;
  bool stopping_ CS_GUARDED_BY(mutex_) = false;
  size_t users_ = 0;  // guarded by the slot's mutex
  std::thread thread_;
};

}  // namespace chainstore::s3
