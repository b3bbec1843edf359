#include "stores/s3/http.h"

#include <exception>

#include "stores/s3/http_loop.h"

namespace chainstore::s3 {

HttpClient::HttpClient(HttpSettings settings)
    : pool_(std::make_shared<HttpPool>(std::move(settings))) {}
HttpClient::~HttpClient() { Stop(); }

void HttpClient::Send(HttpRequest request, Answered answered) {
  auto transfer = std::make_unique<HttpTransfer>(std::move(request), std::move(answered));
  Code why = Code::kClosed;
  try {
    transfer->WriteHeaders(pool_->traced());
    MutexLock lock(mutex_);
    if (!stopped_) {
      if (!loop_) loop_ = HttpLoop::Acquire();
      return loop_->Send(pool_, &transfer);
    }
  } catch (const std::exception&) {  // no thread, or no descriptors: the next one may get them
    why = Code::kNoMemory;
  }
  HttpPool::GiveUp(*transfer, why);
}

void HttpClient::Stop() {
  std::shared_ptr<HttpLoop> loop;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    loop = std::move(loop_);
    loop_ = nullptr;
  }
  if (!loop) return;
  loop->End(pool_);
  loop->Release();
}

const HttpMeters& HttpClient::meters() const noexcept { return pool_->meters(); }

}  // namespace chainstore::s3
