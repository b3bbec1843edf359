// ScriptedS3Test: an S3 store and the server that it talks to, which answers what the test tells it
// to. Nothing is left behind: the store closes at the end of each test.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "stores/s3/s3_store.h"
#include "support/script_server.h"
#include "support/store_calls.h"

namespace chainstore::s3 {

// Holds whoever comes until `count` are there: none of them is answered before all have asked.
class Assembly {
 public:
  explicit Assembly(size_t count) : count_(count) {}
  void Join() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (++here_ == count_) all_here_.notify_all();
    EXPECT_TRUE(
        all_here_.wait_for(lock, std::chrono::seconds(20), [&] { return here_ >= count_; }));
  }

 private:
  const size_t count_;
  std::mutex mutex_;
  std::condition_variable all_here_;
  size_t here_ = 0;
};

class ScriptedS3Test : public ::testing::Test {
 protected:
  using Then = ScriptedAnswer::Then;
  using More = std::map<std::string, std::string, std::less<>>;

  ~ScriptedS3Test() override {
    if (store_) {
      EXPECT_TRUE(CloseStore(*store_).ok());
    }
  }
  // Opens the store with these options beyond the usual ones.
  void Open(const More& more) {
    if (store_) {
      EXPECT_TRUE(CloseStore(*store_).ok());
    }
    Options options;
    options.values = {{"endpoint", server_.endpoint()},
                      {"region", "eu-west-1"},
                      {"access_key", "AKID"},
                      {"secret_key", "unspoken"}};
    for (const auto& [name, value] : more) options.values[name] = value;
    Result<Ref<Store>> made = NewS3Store("bucket", &options);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    store_ = *made;
  }

  void Answers(std::string bytes) { server_.Add(std::move(bytes)); }
  void Answers(std::string bytes, Then then) { server_.Add({std::move(bytes), false, then}); }

  Answer Get(const Read& read = Read::Whole()) {
    return GetFrom(*store_, "k", 0, Wait::kHere, read);
  }
  Answer GetWithin(uint64_t ms) {
    Call call;
    call.deadline_ns = Clock::System().DeadlineAfterMs(ms);
    Answer answer;
    store_->Get(Key("k"), Read::Whole(), call, [&](Answer&& got) { answer = std::move(got); });
    return answer;
  }

  Entries GetMany(size_t count) {
    std::vector<OwnedKey> keys;
    for (size_t i = 0; i < count; ++i) keys.emplace_back(Key("k" + std::to_string(i)));
    Entries entries;
    Await<Entries>(Call(), &entries, [&](Done<Entries> done) {
      store_->GetMany(std::move(keys), Call(), std::move(done));
    });
    return entries;
  }

  size_t Asked() { return server_.requests().size(); }
  // Of the request with this index: its first line, its body, the value of a header.
  std::string Line(size_t index) {
    const std::string request = server_.requests().at(index);
    return request.substr(0, request.find("\r\n"));
  }
  std::string Body(size_t index) {
    const std::string request = server_.requests().at(index);
    return request.substr(request.find("\r\n\r\n") + 4);
  }
  std::string Header(size_t index, const std::string& name) {
    const std::string request = server_.requests().at(index);
    const size_t at = request.find("\r\n" + name + ": ");
    if (at == std::string::npos || at > request.find("\r\n\r\n")) return "(none)";
    const size_t begin = at + name.size() + 4;
    return request.substr(begin, request.find("\r\n", begin) - begin);
  }

  ScriptServer server_;
  Ref<Store> store_;
};

}  // namespace chainstore::s3
