#include "stores/s3/http_loop.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <new>

#include "core/runtime.h"

namespace chainstore::s3 {

struct HttpLoop::Slot {
  Mutex mutex;
  std::shared_ptr<HttpLoop> loop CS_GUARDED_BY(mutex);
  uint32_t fork_generation CS_GUARDED_BY(mutex) = 0;
};

HttpLoop::Slot& HttpLoop::TheSlot() {
  static Slot* const slot = new Slot;  // never destroyed: the thread may outlive static destructors
  return *slot;
}

HttpLoop::HttpLoop()
    : epoll_(epoll_create1(EPOLL_CLOEXEC)), event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  epoll_event event = {};
  event.events = EPOLLIN | EPOLLET;  // each write wakes once, and nobody has to read it
  event.data.fd = event_.get();
  if (!epoll_ || !event_ || epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event) != 0) {
    throw std::bad_alloc();  // no descriptors are left
  }
}

std::shared_ptr<HttpLoop> HttpLoop::Acquire() {
  Slot& slot = TheSlot();
  MutexLock lock(slot.mutex);
  if (slot.loop && slot.fork_generation != Runtime::ForkGeneration()) {
    new std::shared_ptr<HttpLoop>(std::move(slot.loop));  // the parent's: leaked, never touched
    slot.loop = nullptr;
  }
  if (!slot.loop) {
    auto loop = std::shared_ptr<HttpLoop>(new HttpLoop);
    loop->Spawn();
    slot.loop = std::move(loop);
    slot.fork_generation = Runtime::ForkGeneration();
  }
  ++slot.loop->users_;
  return slot.loop;
}

void HttpLoop::Release() {
  Slot& slot = TheSlot();
  {
    MutexLock lock(slot.mutex);
    if (--users_ != 0) return;
    if (slot.loop.get() == this) slot.loop = nullptr;  // the thread holds itself
  }
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  Wake();
  if (thread_.get_id() == std::this_thread::get_id()) {
    thread_.detach();
  } else {
    thread_.join();
  }
}

void HttpLoop::Spawn() {
  // The user's signal handlers never run on a thread of ours: a new one inherits the mask.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread_ = std::thread([self = shared_from_this()] {
    pthread_setname_np(pthread_self(), "cs-http");
    self->Run();
  });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void HttpLoop::Wake() noexcept {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_.get(), &one, sizeof(one));
}

void HttpLoop::WakeByToken(void* self) noexcept {
  auto* const loop = static_cast<HttpLoop*>(self);
  loop->token_fired_.store(true, std::memory_order_release);
  loop->Wake();
}

void HttpLoop::Send(const std::shared_ptr<HttpPool>& pool,
                    std::unique_ptr<HttpTransfer>* transfer) {
  bool asleep = false;
  {
    MutexLock lock(mutex_);
    Sent& sent = inbox_.emplace_back();
    sent.pool = pool;
    sent.transfer = std::move(*transfer);
    asleep = std::exchange(asleep_, false);
  }
  if (asleep) Wake();
}

void HttpLoop::End(std::shared_ptr<HttpPool> pool) {
  uint64_t mine = 0;
  {
    MutexLock lock(mutex_);
    to_end_.push_back(std::move(pool));
    mine = ++ends_asked_;
  }
  Wake();
  if (thread_.get_id() == std::this_thread::get_id()) return;
  MutexLock lock(mutex_);
  while (ends_done_ < mine) ended_changed_.Wait(mutex_);
}

// ---- The thread ----

void HttpLoop::Run() {
  while (TakeInbox()) {
    const bool tokens = token_fired_.exchange(false, std::memory_order_acquire);
    for (const auto& pool : pools_) pool->Advance(tokens);
    // While answers come in nobody has to wake it: it looks at its inbox at each turn.
    if (TakeEvents(0) == 0 && FallAsleep()) TakeEvents(SleepMs());
  }
}

bool HttpLoop::FallAsleep() {
  MutexLock lock(mutex_);
  asleep_ = inbox_.empty();
  return asleep_;
}

bool HttpLoop::TakeInbox() {
  std::vector<std::shared_ptr<HttpPool>> to_end;
  bool stopping = false;
  {
    MutexLock lock(mutex_);
    taken_.swap(inbox_);
    to_end.swap(to_end_);
    stopping = stopping_;
    asleep_ = false;
  }
  for (Sent& sent : taken_) {
    sent.transfer->WatchTokens(WakeByToken, this);
    // One that fired before it was watched is seen now.
    if (sent.transfer->Ended(INT64_MIN) != Code::kOk) token_fired_.store(true);
    if (std::find(pools_.begin(), pools_.end(), sent.pool) == pools_.end()) {
      pools_.push_back(sent.pool);
    }
    sent.pool->Add(std::move(sent.transfer), this);
  }
  taken_.clear();
  for (const auto& pool : to_end) {
    pool->EndAll();
    std::erase(pools_, pool);
  }
  if (!to_end.empty()) {
    MutexLock lock(mutex_);
    ends_done_ += to_end.size();
    ended_changed_.NotifyAll();
  }
  return !stopping;
}

int HttpLoop::SleepMs() const {
  int64_t next_ns = kForeverNs;
  for (const auto& pool : pools_) next_ns = std::min(next_ns, pool->next_ns());
  if (next_ns == kForeverNs) return -1;
  constexpr int64_t kLongestMs = 60'000;
  const int64_t left_ns = next_ns - Clock::System().SteadyNs();
  return static_cast<int>(left_ns <= 0 ? 0 : std::min(left_ns / 1'000'000 + 1, kLongestMs));
}

int HttpLoop::TakeEvents(int timeout_ms) {
  std::array<epoll_event, 64> events;
  const int count = epoll_wait(epoll_.get(), events.data(), events.size(), timeout_ms);
  for (int at = 0; at < count; ++at) {
    const epoll_event& event = events[static_cast<size_t>(at)];
    if (event.data.fd != event_.get()) OnEvent(event.data.fd, event.events);
  }
  return count;
}

void HttpLoop::OnEvent(curl_socket_t number, uint32_t events) {
  // One that an event before has closed is not there any more.
  const auto found = sockets_.find(number);
  if (found == sockets_.end()) return;
  // Nobody uses the connection, so the server has closed it: curl sees that when it wants it.
  if (!found->second.is_wanted) return SetEvents(number, &found->second, 0);
  int ready = 0;  // of one that has failed: curl finds out itself, and how
  if ((events & (EPOLLERR | EPOLLHUP)) == 0) {
    if (events & EPOLLIN) ready |= CURL_CSELECT_IN;
    if (events & EPOLLOUT) ready |= CURL_CSELECT_OUT;
  }
  found->second.pool->OnSocket(number, ready);
}

// ---- Sockets ----

void HttpLoop::SetEvents(curl_socket_t number, Socket* socket, uint32_t events) noexcept {
  if (socket->watched_for == events) return;
  epoll_event event = {};
  event.data.fd = number;
  event.events = events;
  const int how = events == 0                ? EPOLL_CTL_DEL
                  : socket->watched_for == 0 ? EPOLL_CTL_ADD
                                             : EPOLL_CTL_MOD;
  epoll_ctl(epoll_.get(), how, number, &event);
  socket->watched_for = events;
}

void HttpLoop::Opened(HttpPool* pool, curl_socket_t number) noexcept {
  sockets_[number] = {pool, true, false, 0};
}

void HttpLoop::Closing(curl_socket_t number) noexcept {
  const auto found = sockets_.find(number);
  if (found == sockets_.end()) return;
  SetEvents(number, &found->second, 0);  // a forked child may still have it open
  sockets_.erase(found);
}

void HttpLoop::Watch(HttpPool* pool, curl_socket_t number, int what) noexcept {
  // Those of the resolver are opened and closed by curl itself, without a word.
  Socket& socket = sockets_[number];
  socket.pool = pool;
  socket.is_wanted = what != CURL_POLL_REMOVE;
  if (!socket.is_wanted) {
    if (!socket.tells_its_end) Closing(number);
    return;
  }
  uint32_t events = 0;
  if (what & CURL_POLL_IN) events |= EPOLLIN;
  if (what & CURL_POLL_OUT) events |= EPOLLOUT;
  SetEvents(number, &socket, events);
}

}  // namespace chainstore::s3
