// Subject: one kind of store that the contract suite is run against, made through the C ABI alone.
// Client: short, checked calls of a cs_store.
#pragma once

#include <chainstore.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace contract {

// Keeps handles that a composed store is made of.
class Client;

struct Subject {
  std::string name;
  // Opens it in `directory` (empty at first). Opened there again it finds what was durable.
  std::function<Client(const std::string& directory)> open;
  bool persistent = true;  // keeps what it holds over close and open
  bool atomic_batch = false;
};

std::vector<Subject> AllSubjects();

// What a call answered, without anything to release.
struct Reply {
  cs_status status = CS_OK;
  std::string value;
  uint64_t total_size = 0;
  int64_t expires_at_ms = 0;
  uint64_t version = 0;
  uint32_t tier = 0;
  uint32_t flags = 0;
  std::string message;  // of the error, "" without one

  bool ok() const { return status == CS_OK; }
};

struct ReplyEntry {
  std::string key;
  Reply reply;
};

struct Options {
  Options() : Options({}) {}  // not a default argument: gcc 11 would not take lists then
  Options(std::initializer_list<std::pair<const char*, const char*>> pairs);
  ~Options() { cs_options_free(handle); }
  Options(const Options&) = delete;
  Options& operator=(const Options&) = delete;
  cs_options* handle;
};

// Takes a result over and checks what holds for every one: an error exactly with a failure.
Reply Take(cs_result* result);

class Client {
 public:
  explicit Client(cs_store* store) : store_(store) {}
  Client(Client&& other) noexcept : store_(std::exchange(other.store_, nullptr)) {}
  Client& operator=(Client&& other) noexcept {
    std::swap(store_, other.store_);
    return *this;
  }
  ~Client() { cs_store_unref(store_); }
  cs_store* get() const { return store_; }

  Reply Put(const std::string& key, const std::string& value, const cs_call* call = nullptr);
  Reply PutTtl(const std::string& key, const std::string& value, uint64_t ttl_ms);
  Reply PutIfAbsent(const std::string& key, const std::string& value);
  Reply Get(const std::string& key, const cs_call* call = nullptr);
  Reply GetRange(const std::string& key, uint64_t offset, uint64_t length);
  Reply Stat(const std::string& key);
  Reply Del(const std::string& key);
  std::vector<ReplyEntry> GetMany(const std::vector<std::string>& keys,
                                  cs_status* status = nullptr);
  // Puts, and dels (no value).
  std::vector<ReplyEntry> Write(const std::vector<std::pair<std::string, const std::string*>>& ops,
                                cs_status* status = nullptr);
  // Every key of the range, page by page; fails the test on anything but OK pages and an end.
  std::vector<ReplyEntry> Scan(cs_range range);
  std::vector<std::string> Keys();
  Reply Flush();
  Reply Close();

 private:
  cs_store* store_;
};

cs_call CallWith(uint32_t flags);

class ContractTest : public ::testing::TestWithParam<Subject> {
 protected:
  ContractTest();
  ~ContractTest() override;
  // Opens the subject once more where it was.
  void Reopen();

  const std::string directory_;
  Client store_;
};

}  // namespace contract
