#include <cstring>
#include <filesystem>

#include "contract/subject.h"

namespace contract {
namespace {

std::string NewDirectory() {
  std::string path = ::testing::TempDir() + "contract-XXXXXX";
  if (!mkdtemp(path.data())) ADD_FAILURE() << "no temporary directory " << path;
  return path;
}

std::vector<ReplyEntry> TakeEntries(cs_result* result, cs_status* status) {
  std::vector<ReplyEntry> out;
  for (size_t at = 0; at < result->count; ++at) {
    const cs_entry& entry = result->entries[at];
    ReplyEntry taken;
    taken.key.assign(static_cast<const char*>(entry.key), entry.key_size);
    taken.reply.status = entry.status;
    if (entry.data) taken.reply.value.assign(static_cast<const char*>(entry.data), entry.size);
    taken.reply.total_size = entry.total_size;
    taken.reply.expires_at_ms = entry.expires_at_ms;
    EXPECT_EQ(entry.status < 0, entry.error != nullptr);
    out.push_back(std::move(taken));
  }
  if (status) *status = result->status;
  EXPECT_EQ(result->status < 0, result->error != nullptr);
  cs_result_release(result);
  return out;
}

}  // namespace

Options::Options(std::initializer_list<std::pair<const char*, const char*>> pairs)
    : handle(cs_options_new()) {
  for (const auto& [name, value] : pairs) EXPECT_EQ(cs_options_set(handle, name, value), CS_OK);
}

Reply Take(cs_result* result) {
  Reply reply;
  reply.status = result->status;
  if (result->data) reply.value.assign(static_cast<const char*>(result->data), result->size);
  reply.total_size = result->total_size;
  reply.expires_at_ms = result->expires_at_ms;
  reply.version = result->version;
  reply.tier = result->tier;
  reply.flags = result->flags;
  EXPECT_EQ(result->status < 0, result->error != nullptr) << cs_status_name(result->status);
  if (result->error) {
    reply.message = cs_error_message(result->error);
    EXPECT_EQ(cs_error_status(result->error), result->status);
    EXPECT_NE(cs_error_detail(result->error, "store", nullptr), nullptr) << reply.message;
    EXPECT_NE(cs_error_detail(result->error, "operation", nullptr), nullptr) << reply.message;
  }
  cs_result_release(result);
  return reply;
}

cs_call CallWith(uint32_t flags) {
  cs_call call = CS_CALL_INIT;
  call.flags = flags;
  return call;
}

Reply Client::Put(const std::string& key, const std::string& value, const cs_call* call) {
  cs_result result;
  cs_put_sync(store_, key.data(), key.size(), value.data(), value.size(), call, &result);
  return Take(&result);
}

Reply Client::PutTtl(const std::string& key, const std::string& value, uint64_t ttl_ms) {
  cs_call call = CS_CALL_INIT;
  call.ttl_ms = ttl_ms;
  return Put(key, value, &call);
}

Reply Client::PutIfAbsent(const std::string& key, const std::string& value) {
  const cs_call call = CallWith(CS_CALL_IF_ABSENT);
  return Put(key, value, &call);
}

Reply Client::Get(const std::string& key, const cs_call* call) {
  cs_result result;
  cs_get_sync(store_, key.data(), key.size(), call, &result);
  return Take(&result);
}

Reply Client::GetRange(const std::string& key, uint64_t offset, uint64_t length) {
  cs_result result;
  cs_get_range_sync(store_, key.data(), key.size(), offset, length, nullptr, &result);
  return Take(&result);
}

Reply Client::Stat(const std::string& key) {
  cs_result result;
  cs_stat_sync(store_, key.data(), key.size(), nullptr, &result);
  EXPECT_EQ(result.value, nullptr);
  return Take(&result);
}

Reply Client::Del(const std::string& key) {
  cs_result result;
  cs_del_sync(store_, key.data(), key.size(), nullptr, &result);
  return Take(&result);
}

std::vector<ReplyEntry> Client::GetMany(const std::vector<std::string>& keys, cs_status* status) {
  std::string packed;
  std::vector<uint32_t> sizes;
  for (const std::string& key : keys) {
    packed += key;
    sizes.push_back(static_cast<uint32_t>(key.size()));
  }
  cs_result result;
  cs_get_many_sync(store_, packed.data(), sizes.data(), sizes.size(), nullptr, &result);
  return TakeEntries(&result, status);
}

std::vector<ReplyEntry> Client::Write(
    const std::vector<std::pair<std::string, const std::string*>>& ops, cs_status* status) {
  cs_batch* batch = cs_batch_new();
  for (const auto& [key, value] : ops) {
    const cs_status added =
        value ? cs_batch_put(batch, key.data(), key.size(), value->data(), value->size())
              : cs_batch_del(batch, key.data(), key.size());
    EXPECT_EQ(added, CS_OK);
  }
  cs_result result;
  cs_write_sync(store_, batch, nullptr, &result);
  cs_batch_free(batch);
  return TakeEntries(&result, status);
}

std::vector<ReplyEntry> Client::Scan(cs_range range) {
  std::vector<ReplyEntry> all;
  cs_error* error = nullptr;
  cs_scan* scan = cs_scan_new(store_, &range, &error);
  if (!scan) {
    ADD_FAILURE() << cs_error_message(error);
    cs_error_unref(error);
    return all;
  }
  for (;;) {
    cs_result result;
    const cs_status status = cs_scan_next_sync(scan, nullptr, &result);
    EXPECT_TRUE(status == CS_OK || status == CS_END) << cs_status_name(status);
    EXPECT_EQ(status == CS_OK, result.count > 0) << "an OK page is never empty";
    std::vector<ReplyEntry> page = TakeEntries(&result, nullptr);
    for (ReplyEntry& entry : page) all.push_back(std::move(entry));
    if (status != CS_OK) break;
  }
  cs_scan_free(scan);
  return all;
}

std::vector<std::string> Client::Keys() {
  cs_range range = CS_RANGE_INIT;
  range.flags = CS_SCAN_KEYS_ONLY;
  std::vector<std::string> keys;
  for (ReplyEntry& entry : Scan(range)) keys.push_back(std::move(entry.key));
  return keys;
}

Reply Client::Flush() {
  cs_result result;
  cs_flush_sync(store_, nullptr, 0, nullptr, &result);
  return Take(&result);
}

Reply Client::Close() {
  cs_result result;
  cs_store_close_sync(store_, nullptr, &result);
  return Take(&result);
}

ContractTest::ContractTest() : directory_(NewDirectory()), store_(GetParam().open(directory_)) {}

ContractTest::~ContractTest() {
  EXPECT_EQ(store_.Close().status, CS_OK);
  store_ = Client(nullptr);
  std::filesystem::remove_all(directory_);
}

void ContractTest::Reopen() {
  EXPECT_EQ(store_.Close().status, CS_OK);
  store_ = GetParam().open(directory_);
}

}  // namespace contract
