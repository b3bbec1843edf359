// HttpPool: one client's transfers and connections, as the HTTP thread drives them: libcurl's multi
// interface by its sockets and its timer. No more than max_connections transfers are under way; the
// others wait, first come, first served, and their deadlines run.
// Thread safety: none; all of it runs on the HTTP thread, but for construction and meters.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "stores/s3/http.h"
#include "stores/s3/http_origin.h"
#include "stores/s3/http_transfer.h"

namespace chainstore::s3 {

class HttpPool;

// Who tells a pool that its sockets are ready.
class SocketWatcher {
 public:
  // One of a connection, before it is watched.
  virtual void Opened(HttpPool* pool, curl_socket_t socket) noexcept = 0;
  // `what` is one of CURL_POLL_IN and the others.
  virtual void Watch(HttpPool* pool, curl_socket_t socket, int what) noexcept = 0;
  // One that was opened is going to be closed.
  virtual void Closing(curl_socket_t socket) noexcept = 0;

 protected:
  ~SocketWatcher() = default;
};

class HttpPool {
 public:
  explicit HttpPool(HttpSettings settings);
  ~HttpPool();
  HttpPool(const HttpPool&) = delete;
  HttpPool& operator=(const HttpPool&) = delete;

  const HttpMeters& meters() const noexcept { return meters_; }
  bool traced() const noexcept { return settings_.trace; }
  void Add(std::unique_ptr<HttpTransfer> transfer, SocketWatcher* watcher);
  // `events` as for curl_multi_socket_action.
  void OnSocket(curl_socket_t socket, int events);
  // Starts what is due and answers what has ended. `tokens`: one of them may have fired.
  void Advance(bool tokens);
  // When Advance has something to do though no socket is ready.
  int64_t next_ns() const noexcept { return std::min(timer_ns_, next_ns_); }
  // Answers everything with kClosed, and closes the connections.
  void EndAll();

  // The answer of one that has not begun.
  static void GiveUp(HttpTransfer& transfer, Code code);

 private:
  using Transfers = std::vector<std::unique_ptr<HttpTransfer>>;
  static int OnSocketChange(CURL* easy, curl_socket_t socket, int what, void* self, void* unused);
  static curl_socket_t OnOpen(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnClose(void* self, curl_socket_t socket);
  static int OnTimerChange(CURLM* multi, long ms, void* self);

  void QueueDue(int64_t now_ns);
  bool StartReady(int64_t now_ns);
  CURL* NewHandle();
  void Start(std::unique_ptr<HttpTransfer> transfer, int64_t now_ns);
  bool FinishDone();
  HttpReply FinishGuarded(HttpTransfer& transfer, CURLcode code) noexcept;
  void EndLate(int64_t now_ns);
  void FindNext();
  void TakeDown(HttpTransfer* transfer, Code code);
  std::unique_ptr<HttpTransfer> Remove(HttpTransfer* transfer, bool keep);
  void Show(const HttpTransfer& transfer, const HttpReply& reply, const HttpTiming& timing) const;

  const HttpSettings settings_;
  const bool direct_;  // a proxy needs the whole URL
  HttpMeters meters_;
  HttpOrigins origins_;
  CURLM* multi_ = nullptr;
  SocketWatcher* watcher_ = nullptr;
  int64_t timer_ns_ = kForeverNs;  // libcurl's
  int64_t next_ns_ = kForeverNs;   // the first deadline or start, or an earlier time
  Transfers waiting_;              // to be started later
  std::deque<std::unique_ptr<HttpTransfer>> ready_;
  Transfers running_;
  std::vector<CURL*> spare_;
  // How many transfers still get large buffers: large bodies come together.
  uint32_t expect_large_ = 0;
};

}  // namespace chainstore::s3
