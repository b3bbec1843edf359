#include "stores/s3/misbehaviour.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "stores/s3/s3_store.h"
#include "support/store_calls.h"

namespace chainstore::s3 {
namespace {

struct Outcome {
  Status status;
  std::string answer;
};

std::string CodesOf(const Entries& entries) {
  std::string text;
  for (const Entry& entry : entries.entries) {
    text += std::string(text.empty() ? "" : " ") + CodeName(entry.status.code());
  }
  return text;
}

std::string KeysOf(const Page& page) {
  std::string text;
  for (const Entry& entry : page.entries) text += (text.empty() ? "" : " ") + entry.key;
  return text;
}

Outcome OutcomeOfRead(Store& store, const Call& call, const Read& read) {
  Answer answer;
  store.Get(Key("k"), read, call, [&](Answer&& got) { answer = std::move(got); });
  const std::string text = !answer.status.ok() ? ""
                           : answer.value      ? std::string(answer.value->bytes())
                                               : std::to_string(answer.meta.total_size);
  return {answer.status, text};
}

Outcome OutcomeOfWrite(Store& store, Call call, const std::string& value, uint32_t flags) {
  Receipt receipt;
  call.flags = flags;
  store.Put(Key("k"), Payload(value), call, [&](Receipt&& got) { receipt = std::move(got); });
  return {receipt.status, ""};
}

Outcome OutcomeOfMany(Store& store, const Call& call, bool del) {
  Entries entries;
  const auto take = [&](Entries&& got) { entries = std::move(got); };
  auto batch = MakeRef<Batch>();
  std::vector<OwnedKey> keys;
  for (const char* key : {"a", "b", "c"}) {
    keys.emplace_back(Key(key));
    batch->ops.push_back({OwnedKey(Key(key)), nullptr, 0});
  }
  if (del) {
    store.Write(batch, call, take);
  } else {
    store.GetMany(keys, call, take);
  }
  return {entries.status, CodesOf(entries)};
}

Outcome Play(Store& store, const Misbehaviour& row) {
  Call call;
  call.deadline_ns = Clock::System().DeadlineAfterMs(row.deadline_ms);
  switch (row.ask) {
    case Ask::kGet:
      return OutcomeOfRead(store, call, Read::Whole());
    case Ask::kRange:
      return OutcomeOfRead(store, call, Read::Range(2, 3));
    case Ask::kStat:
      return OutcomeOfRead(store, call, Read::Stat());
    case Ask::kGetMany:
    case Ask::kDelMany:
      return OutcomeOfMany(store, call, row.ask == Ask::kDelMany);
    case Ask::kPut:
      return OutcomeOfWrite(store, call, "value", 0);
    case Ask::kPutLarge:
      return OutcomeOfWrite(store, call, std::string(size_t{8} << 20, 'v'), 0);
    case Ask::kPutIfAbsent:
      return OutcomeOfWrite(store, call, "value", Call::kIfAbsent);
    case Ask::kDel: {
      Receipt receipt;
      store.Del(Key("k"), call, [&](Receipt&& got) { receipt = std::move(got); });
      return {receipt.status, ""};
    }
    case Ask::kScan: {
      Page page;
      Range range;
      range.keys_only = true;
      store.Scan(range, call, [&](Page&& got) { page = std::move(got); });
      return {page.status, KeysOf(page)};
    }
  }
  return {};
}

Ref<Store> Open(const ScriptServer& server, const Misbehaviour& row) {
  Options options;
  options.values = {
      {"endpoint", server.endpoint()}, {"region", "eu-west-1"}, {"access_key", "AKID"},
      {"secret_key", "unspoken"},      {"attempts", "1"},       {"ttl", "false"}};
  for (const auto& [name, value] : row.options) options.values[name] = value;
  Result<Ref<Store>> made = NewS3Store("bucket", &options);
  EXPECT_TRUE(made.ok()) << made.status().ToString();
  return made.ok() ? *made : nullptr;
}

size_t OpenDescriptors() {
  size_t count = 0;
  for ([[maybe_unused]] const auto& each : std::filesystem::directory_iterator("/proc/self/fd")) {
    ++count;
  }
  return count;
}

void PlayAndCheck(const Misbehaviour& row) {
  ScriptServer server;
  server.Otherwise(row.script.back());
  for (size_t i = 0; i + 1 < row.script.size(); ++i) server.Add(row.script[i]);
  const Ref<Store> store = Open(server, row);
  if (!store) return;
  const int64_t begin_ns = Clock::System().SteadyNs();
  const Outcome outcome = Play(*store, row);
  const int64_t took_ms = (Clock::System().SteadyNs() - begin_ns) / 1'000'000;
  const std::string message = outcome.status.error() ? outcome.status.error()->message() : "";
  EXPECT_STREQ(CodeName(outcome.status.code()), CodeName(row.status)) << message;
  EXPECT_NE(message.find(row.says), std::string::npos) << message;
  EXPECT_EQ(message.find("unspoken"), std::string::npos) << message;
  if (row.status == Code::kOk || row.status == Code::kPartial) {
    EXPECT_EQ(outcome.answer, row.answer);
  }
  EXPECT_LE(took_ms, static_cast<int64_t>(row.deadline_ms) + 1000) << "later than its deadline";
  if (row.requests != 0) {
    EXPECT_EQ(server.requests().size(), row.requests);
  }
  server.Otherwise(Says(Reply(200, "healthy")));
  EXPECT_EQ(GetText(*store, "k"), "healthy") << "what came before is still on a connection";
  EXPECT_TRUE(CloseStore(*store).ok());
  EXPECT_TRUE(server.WaitUntilAlone()) << "a connection is still open";
}

}  // namespace

std::string Raw(const std::string& line, const std::string& headers, const std::string& body) {
  return line + "\r\n" + headers + "\r\n" + body;
}

void ExpectOutcome(const Misbehaviour& row) {
  SCOPED_TRACE(row.what);
  // What a process opens once and keeps.
  static const bool warm = [] {
    PlayAndCheck({.what = "nothing", .script = {Says(Reply(200, "v"))}, .answer = "v"});
    return true;
  }();
  EXPECT_TRUE(warm);
  const size_t before = OpenDescriptors();
  PlayAndCheck(row);
  EXPECT_EQ(OpenDescriptors(), before) << "a descriptor is still open";
}

}  // namespace chainstore::s3
