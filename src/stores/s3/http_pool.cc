#include "stores/s3/http_pool.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <new>

namespace chainstore::s3 {
namespace {

constexpr size_t kSpareHandles = 64;
constexpr uint32_t kLargeRun = 64;

void StartCurl() {
  static std::once_flag once;  // older versions of curl cannot be started by two threads at once
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

HttpPool::HttpPool(HttpSettings settings)
    : settings_(std::move(settings)), direct_(HttpTransfer::IsDirect(settings_)) {
  StartCurl();
  multi_ = curl_multi_init();
  if (!multi_) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, settings_.max_connections);
  curl_multi_setopt(multi_, CURLMOPT_PIPELINING, long{CURLPIPE_NOTHING});
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocketChange);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimerChange);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
}

HttpPool::~HttpPool() { EndAll(); }

int HttpPool::OnSocketChange(CURL*, curl_socket_t socket, int what, void* self, void*) {
  auto* const pool = static_cast<HttpPool*>(self);
  if (pool->watcher_) pool->watcher_->Watch(pool, socket, what);
  return 0;
}

curl_socket_t HttpPool::OnOpen(void* self, curlsocktype, curl_sockaddr* address) {
  const curl_socket_t opened =
      socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  auto* const pool = static_cast<HttpPool*>(self);
  if (opened != CURL_SOCKET_BAD && pool->watcher_) pool->watcher_->Opened(pool, opened);
  return opened;
}

int HttpPool::OnClose(void* self, curl_socket_t socket) {
  auto* const pool = static_cast<HttpPool*>(self);
  if (pool->watcher_) pool->watcher_->Closing(socket);
  return close(socket);
}

int HttpPool::OnTimerChange(CURLM*, long ms, void* self) {
  static_cast<HttpPool*>(self)->timer_ns_ =
      ms < 0    ? kForeverNs
      : ms == 0 ? 0  // at the loop's next turn, whatever the clock says
                : Clock::System().SteadyNs() + int64_t{ms} * 1'000'000;
  return 0;
}

void HttpPool::Add(std::unique_ptr<HttpTransfer> transfer, SocketWatcher* watcher) {
  watcher_ = watcher;
  next_ns_ = std::min(next_ns_, transfer->request().deadline_ns);
  if (transfer->request().start_at_ns == 0) return ready_.push_back(std::move(transfer));
  next_ns_ = std::min(next_ns_, transfer->request().start_at_ns);
  waiting_.push_back(std::move(transfer));
}

void HttpPool::OnSocket(curl_socket_t socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
}

void HttpPool::Advance(bool tokens) {
  for (bool again = true; again;) {
    const int64_t now_ns = Clock::System().SteadyNs();
    if (timer_ns_ <= now_ns) {
      timer_ns_ = kForeverNs;  // curl sets it anew where it needs to
      OnSocket(CURL_SOCKET_TIMEOUT, 0);
    }
    if (next_ns_ <= now_ns || tokens) {
      QueueDue(now_ns);
      EndLate(now_ns);
      FindNext();
      tokens = false;
    }
    const bool finished = FinishDone();
    again = StartReady(now_ns) || finished;
  }
}

// ---- Starting ----

void HttpPool::QueueDue(int64_t now_ns) {
  Transfers later;
  for (auto& transfer : waiting_) {
    if (transfer->request().start_at_ns > now_ns) {
      later.push_back(std::move(transfer));
    } else {
      ready_.push_back(std::move(transfer));
    }
  }
  waiting_ = std::move(later);
}

// True: one has started, or has ended at once.
bool HttpPool::StartReady(int64_t now_ns) {
  bool any = false;
  while (!ready_.empty() && running_.size() < static_cast<size_t>(settings_.max_connections)) {
    std::unique_ptr<HttpTransfer> transfer = std::move(ready_.front());
    ready_.pop_front();
    Start(std::move(transfer), now_ns);
    any = true;
  }
  return any;
}

CURL* HttpPool::NewHandle() {
  CURL* const easy = curl_easy_init();
  if (!easy) return nullptr;
  HttpTransfer::SetUp(easy, settings_);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, OnOpen);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, OnClose);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, this);
  return easy;
}

void HttpPool::Start(std::unique_ptr<HttpTransfer> transfer, int64_t now_ns) {
  if (const Code ended = transfer->Ended(now_ns); ended != Code::kOk) {
    return GiveUp(*transfer, ended);
  }
  CURL* easy = nullptr;
  if (spare_.empty()) {
    easy = NewHandle();
  } else {
    easy = spare_.back();
    spare_.pop_back();
  }
  CURLU* const origin = direct_ ? origins_.Find(transfer->request().url) : nullptr;
  const bool prepared = easy && transfer->Prepare(easy, origin, expect_large_ != 0);
  if (!prepared || curl_multi_add_handle(multi_, easy) != CURLM_OK) {
    if (easy) curl_easy_cleanup(easy);
    return GiveUp(*transfer, Code::kNoMemory);
  }
  running_.push_back(std::move(transfer));
}

// ---- Ending ----

void HttpPool::GiveUp(HttpTransfer& transfer, Code code) {
  HttpReply reply;
  reply.ended = code;
  reply.connected = false;
  transfer.Answer(std::move(reply));
}

// Takes the transfer off the running ones; its handle is kept only after a success.
std::unique_ptr<HttpTransfer> HttpPool::Remove(HttpTransfer* transfer, bool keep) {
  CURL* const easy = transfer->easy();
  curl_multi_remove_handle(multi_, easy);
  if (keep && spare_.size() < kSpareHandles) {
    transfer->TakeEasy();
    spare_.push_back(easy);
  } else {
    curl_easy_cleanup(easy);
  }
  const auto found = std::find_if(running_.begin(), running_.end(),
                                  [transfer](const auto& each) { return each.get() == transfer; });
  std::unique_ptr<HttpTransfer> removed = std::move(*found);
  *found = std::move(running_.back());
  running_.pop_back();
  return removed;
}

bool HttpPool::FinishDone() {
  bool any = false;
  int left = 0;
  while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    char* found = nullptr;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
    auto* const transfer = reinterpret_cast<HttpTransfer*>(found);
    if (transfer->is_large()) {
      expect_large_ = kLargeRun;
    } else if (expect_large_ != 0) {
      --expect_large_;
    }
    HttpReply reply = FinishGuarded(*transfer, code);
    Remove(transfer, code == CURLE_OK)->Answer(std::move(reply));
    any = true;
  }
  return any;
}

HttpReply HttpPool::FinishGuarded(HttpTransfer& transfer, CURLcode code) noexcept {
  try {
    const HttpTiming timing = transfer.Timing();
    transfer.Count(timing, &meters_);
    HttpReply reply = transfer.Finish(code, timing);
    Show(transfer, reply, timing);
    return reply;
  } catch (...) {
    HttpReply reply;
    reply.ended = Code::kNoMemory;
    return reply;
  }
}

// Ends one that is under way.
void HttpPool::TakeDown(HttpTransfer* transfer, Code code) {
  HttpReply reply;
  reply.ended = code;
  const HttpTiming timing = transfer->Timing();
  reply.connected = timing.connected_us != 0;
  transfer->Count(timing, &meters_);
  Show(*transfer, reply, timing);
  Remove(transfer, false)->Answer(std::move(reply));
}

void HttpPool::Show(const HttpTransfer& transfer, const HttpReply& reply,
                    const HttpTiming& timing) const {
  if (settings_.trace) WriteTrace(TraceText(transfer.request(), reply, timing));
}

// Those whose time is up, or whose token has fired.
void HttpPool::EndLate(int64_t now_ns) {
  const auto give_up = [now_ns](auto* transfers) {
    for (size_t at = 0; at < transfers->size();) {
      const Code ended = (*transfers)[at]->Ended(now_ns);
      if (ended == Code::kOk) {
        ++at;
        continue;
      }
      const std::unique_ptr<HttpTransfer> transfer = std::move((*transfers)[at]);
      transfers->erase(transfers->begin() + static_cast<ptrdiff_t>(at));
      GiveUp(*transfer, ended);
    }
  };
  give_up(&waiting_);
  give_up(&ready_);
  for (size_t at = 0; at < running_.size();) {
    const Code ended = running_[at]->Ended(now_ns);
    ended == Code::kOk ? void(++at) : TakeDown(running_[at].get(), ended);
  }
}

void HttpPool::FindNext() {
  next_ns_ = kForeverNs;
  for (const auto& each : waiting_) {
    next_ns_ = std::min({next_ns_, each->request().start_at_ns, each->request().deadline_ns});
  }
  for (const auto& each : ready_) next_ns_ = std::min(next_ns_, each->request().deadline_ns);
  for (const auto& each : running_) next_ns_ = std::min(next_ns_, each->request().deadline_ns);
}

void HttpPool::EndAll() {
  if (!multi_) return;
  while (!running_.empty()) TakeDown(running_.back().get(), Code::kClosed);
  for (const auto& transfer : waiting_) GiveUp(*transfer, Code::kClosed);
  for (const auto& transfer : ready_) GiveUp(*transfer, Code::kClosed);
  waiting_.clear();
  ready_.clear();
  // Connections end with the store, not with the last one who still holds it.
  for (CURL* easy : spare_) curl_easy_cleanup(easy);
  spare_.clear();
  curl_multi_cleanup(std::exchange(multi_, nullptr));
}

}  // namespace chainstore::s3
