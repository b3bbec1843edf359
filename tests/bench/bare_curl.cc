#include "bare_curl.h"

#include <algorithm>
#include <cstring>

#include "harness.h"

namespace bench {

BareCurl::BareCurl(const std::string& url, size_t in_flight, const std::string* put,
                   const std::string& ca_file)
    : multi_(curl_multi_init()), headers_(curl_slist_append(nullptr, "Expect:")) {
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(in_flight));
  for (size_t at = 0; at < in_flight; ++at) {
    auto transfer = std::make_unique<Transfer>();
    transfer->easy = curl_easy_init();
    transfer->put = put;
    curl_easy_setopt(transfer->easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(transfer->easy, CURLOPT_PRIVATE, transfer.get());
    curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(transfer->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer->easy, CURLOPT_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
    curl_easy_setopt(transfer->easy, CURLOPT_WRITEFUNCTION, Write);
    curl_easy_setopt(transfer->easy, CURLOPT_WRITEDATA, transfer.get());
    if (!ca_file.empty()) curl_easy_setopt(transfer->easy, CURLOPT_CAINFO, ca_file.c_str());
    if (put) {
      curl_easy_setopt(transfer->easy, CURLOPT_UPLOAD, 1L);
      curl_easy_setopt(transfer->easy, CURLOPT_READFUNCTION, Read);
      curl_easy_setopt(transfer->easy, CURLOPT_READDATA, transfer.get());
      curl_easy_setopt(transfer->easy, CURLOPT_INFILESIZE_LARGE,
                       static_cast<curl_off_t>(put->size()));
    }
    transfers_.push_back(std::move(transfer));
  }
}

BareCurl::~BareCurl() {
  for (const auto& transfer : transfers_) curl_easy_cleanup(transfer->easy);
  curl_multi_cleanup(multi_);
  curl_slist_free_all(headers_);
}

size_t BareCurl::Write(char* bytes, size_t, size_t size, void* transfer) {
  static_cast<Transfer*>(transfer)->got.append(bytes, size);
  return size;
}

size_t BareCurl::Read(char* bytes, size_t, size_t size, void* transfer) {
  auto* const self = static_cast<Transfer*>(transfer);
  const size_t part = std::min(size, self->put->size() - self->sent);
  memcpy(bytes, self->put->data() + self->sent, part);
  self->sent += part;
  return part;
}

void BareCurl::Start(Transfer* transfer) {
  transfer->got = std::string();  // a value of its own, as ours
  transfer->sent = 0;
  curl_multi_add_handle(multi_, transfer->easy);
}

void BareCurl::Run(uint64_t count) {
  uint64_t started = 0, done = 0;
  for (; started < std::min<uint64_t>(count, transfers_.size()); ++started) {
    Start(transfers_[started].get());
  }
  while (done < count) {
    int running = 0, left = 0;
    curl_multi_perform(multi_, &running);
    while (CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
      if (message->data.result != CURLE_OK) Die(curl_easy_strerror(message->data.result));
      char* found = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &found);
      auto* const transfer = reinterpret_cast<Transfer*>(found);
      curl_multi_remove_handle(multi_, transfer->easy);
      ++done;
      if (started == count) continue;
      Start(transfer);
      ++started;
    }
    if (done < count) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
  }
}

}  // namespace bench
