// HttpTransfer: one request on its way: an easy handle of libcurl, what it sends and what has come
// in so far. Used by the HTTP thread alone, but for the cancel tokens that wake it.
#pragma once

#include <curl/curl.h>

#include "stores/s3/http.h"
#include "stores/s3/http_trace.h"

namespace chainstore::s3 {

// A cancel token that fires takes the loop out of its sleep; the loop then looks at the token.
class LoopWaker : private CancelWatch {
 public:
  using Function = void (*)(void*);
  ~LoopWaker() override { Stop(); }
  void Watch(const Ref<CancelToken>& token, Function wake, void* context) {
    wake_ = wake;
    context_ = context;
    CancelWatch::Watch(token);  // one that has fired is seen by the loop's next look
  }

 private:
  void Wake() noexcept override { wake_(context_); }
  Function wake_ = nullptr;
  void* context_ = nullptr;
};

class HttpTransfer {
 public:
  HttpTransfer(HttpRequest request, HttpClient::Answered answered)
      : request_(std::move(request)), answered_(std::move(answered)) {}
  ~HttpTransfer();
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;

  // Makes of the request's headers what curl reads, on the caller's thread, and wipes them unless
  // they are kept (for a trace). Throws std::bad_alloc.
  void WriteHeaders(bool keep);
  const HttpRequest& request() const noexcept { return request_; }
  CURL* easy() const noexcept { return easy_; }
  void WatchTokens(LoopWaker::Function wake, void* context);
  // What all transfers of a pool have in common, set once for a new handle.
  static void SetUp(CURL* easy, const HttpSettings& settings);
  // Whether requests go to the server itself.
  static bool IsDirect(const HttpSettings& settings);
  // Sets what is this transfer's own. `origin` (may be null) is that of its URL: curl need not
  // take it apart then. False: out of memory.
  bool Prepare(CURL* easy, CURLU* origin, bool large);
  // Whether what has come in, or was sent, is worth a large buffer.
  bool is_large() const noexcept;
  // kOk while it may go on.
  Code Ended(int64_t now_ns) const noexcept;
  // Takes the handle back, with nothing in it that points here.
  CURL* TakeEasy() noexcept;
  // The answer of a transfer that curl has ended.
  HttpReply Finish(CURLcode code, const HttpTiming& timing);
  // What its trace shows.
  HttpTiming Timing() const;
  void Count(const HttpTiming& timing, HttpMeters* meters) const;
  void Answer(HttpReply&& reply) { answered_(std::move(reply)); }

 private:
  static size_t OnHeader(char* data, size_t size, size_t count, void* self) noexcept;
  static size_t OnBody(char* data, size_t size, size_t count, void* self) noexcept;
  static size_t OnRead(char* buffer, size_t size, size_t count, void* self) noexcept;
  static int OnSeek(void* self, curl_off_t offset, int origin) noexcept;

  bool RefuseHeader(const char* why) noexcept;
  bool TakeHeader(Bytes line);
  bool TakeBody(Bytes data);
  bool TakeIntoRoom(Bytes data);
  bool IsCut();
  bool MakeRoom(size_t size);
  void SetBody(CURL* easy);
  bool SetUrl(CURL* easy, CURLU* origin);

  HttpRequest request_;
  HttpClient::Answered answered_;
  LoopWaker cancel_waker_;
  LoopWaker closing_waker_;
  CURL* easy_ = nullptr;
  std::string header_text_;               // the lines of the request, each with its zero
  std::vector<curl_slist> header_lines_;  // which is what curl reads
  size_t body_at_ = 0;

  HttpReply reply_;
  size_t header_bytes_ = 0;
  bool is_success_ = false;  // what the status line says
  bool is_partial_ = false;
  Ref<Value> value_;  // its room is filled up to received_
  char* room_ = nullptr;
  size_t received_ = 0;
  Code refused_ = Code::kOk;  // why a callback ended the transfer
  const char* refused_why_ = "";
  char error_text_[CURL_ERROR_SIZE] = {};
};

}  // namespace chainstore::s3
