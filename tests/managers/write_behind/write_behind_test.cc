#include "managers/write_behind/write_behind.h"

#include <gtest/gtest.h>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

class WriteBehindTest : public SimTest {};

TEST_F(WriteBehindTest, AcknowledgesAPutBeforeTheInnerStoreHasIt) {
  Open();
  const Ending put = Put("k", "v");
  ASSERT_EQ(CodeOf(put), Code::kOk);
  EXPECT_EQ((*put)->flags, kResultPending);
  EXPECT_EQ((*put)->meta.total_size, 1u);
  EXPECT_TRUE(remote->log.empty()) << "delivered on the caller's stack";
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kQueued);
  clock->RunAll();
  EXPECT_EQ(remote->ValueOf("k"), "v");
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kNone);
  EXPECT_EQ(store->counters().keys_known, 0u);
  EXPECT_EQ(store->counters().bytes, 0u);
}

TEST_F(WriteBehindTest, DeliversWithAckDeliveredAndNothingOfTheCallersCall) {
  remote->hold = true;
  Open();
  Call call = Later();
  call.cancel = MakeRef<CancelToken>();
  call.deadline_ns = clock->In(1000);
  Put("k", "v", call, clock->wall_ms + 60'000);
  clock->RunAll();
  ASSERT_EQ(remote->held.size(), 1u);
  const Remote::Sent& sent = remote->held.front();
  EXPECT_EQ(sent.call.ack, Ack::kDelivered);
  EXPECT_EQ(sent.call.wait, Wait::kLater);
  EXPECT_FALSE(sent.call.cancel);
  EXPECT_EQ(sent.call.deadline_ns, clock->In(settings.attempt_timeout_ms));
  EXPECT_EQ(sent.expires_at_ms, clock->wall_ms + 60'000);
  EXPECT_EQ(store->StateOf(Key("k")), KeyState::kInFlight);
}

TEST_F(WriteBehindTest, AnswersReadsFromTheQueue) {
  remote->hold = true;
  remote->data["k"] = {"old", 0};
  Open();
  Put("k", "hello");
  Answer whole = Get("k");
  ASSERT_TRUE(whole.status.ok());
  EXPECT_EQ(whole.value->bytes(), "hello");
  EXPECT_EQ(whole.flags, kResultPending);
  EXPECT_EQ(whole.tier, 1u);
  EXPECT_EQ(whole.meta.total_size, 5u);
  Answer part = Get("k", Read::Range(1, 3));
  EXPECT_EQ(part.value->bytes(), "ell");
  EXPECT_EQ(part.meta.total_size, 5u);
  EXPECT_EQ(Get("k", Read::Range(9, 3)).value->size(), 0u);
  Answer stat = Get("k", Read::Stat());
  EXPECT_FALSE(stat.value);
  EXPECT_EQ(stat.meta.total_size, 5u);
  EXPECT_EQ(Get("k", Read::Whole(), Later().With(Wait::kNever)).value->bytes(), "hello");
  EXPECT_EQ(remote->gets, 0);
  EXPECT_EQ(Read1("other"), "(none)");
  EXPECT_EQ(remote->gets, 1);
}

TEST_F(WriteBehindTest, KeepsItsOwnBytesOfWhatWasPut) {
  remote->hold = true;
  Open();
  std::string buffer = "before";
  store->Put(Key("k"), Payload(Bytes(buffer)), Later(), [](Receipt&&) {});
  buffer = "after.";
  EXPECT_EQ(Read1("k"), "before");
  // A slice would keep all of what it is a slice of.
  Ref<Value> large = Value::Copy(std::string(1000, 'x'));
  store->Put(Key("s"), Payload(Value::Slice(large, 10, 3)), Later(), [](Receipt&&) {});
  EXPECT_TRUE(large->IsUnique());
  // The caller's own memory is adopted; who asks for a value of his own gets a copy.
  static const char kStatic[] = "static";
  store->Put(Key("w"), Payload(Value::Wrap(Bytes(kStatic), nullptr, nullptr)), Later(),
             [](Receipt&&) {});
  EXPECT_EQ(Get("w").value->data(), kStatic);
  const Answer owned = Get("w", Read::Whole(), Later(Ack::kDefault, Call::kOwned));
  EXPECT_TRUE(owned.value->is_heap());
  EXPECT_EQ(owned.value->bytes(), Bytes(kStatic));
}

TEST_F(WriteBehindTest, APendingDeleteAnswersWithoutAskingBelow) {
  remote->hold = true;
  remote->data["k"] = {"old", 0};
  Open();
  ASSERT_EQ(CodeOf(Del("k")), Code::kOk);
  EXPECT_EQ(Get("k").status.code(), Code::kNotFound);
  EXPECT_EQ(Get("k", Read::Stat()).status.code(), Code::kNotFound);
  EXPECT_EQ(Get("k", Read::Whole(), Later().With(Wait::kNever)).status.code(), Code::kNotFound);
  EXPECT_EQ(remote->gets, 0);
}

TEST_F(WriteBehindTest, ATryAsksBelowOnlyWhoCanTry) {
  remote->data["k"] = {"v", 0};
  Open();
  const Call never = Later().With(Wait::kNever);
  EXPECT_TRUE(Get("k", Read::Whole(), never).status.ok());
  EXPECT_EQ(remote->last_get.wait, Wait::kNever);
  remote->own_caps &= ~static_cast<uint32_t>(kCapTry);
  EXPECT_EQ(Get("k", Read::Whole(), never).status.code(), Code::kWouldBlock);
  EXPECT_EQ(remote->gets, 1);
}

TEST_F(WriteBehindTest, GetManyMixesWhatIsPendingWithWhatIsBelow) {
  remote->hold = true;
  remote->data["below"] = {"b", 0};
  remote->data["gone"] = {"g", 0};
  Open();
  Put("queued", "q");
  Del("gone");
  Entries out;
  store->GetMany({OwnedKey(Key("below")), OwnedKey(Key("queued")), OwnedKey(Key("gone")),
                  OwnedKey(Key("nowhere"))},
                 Later(), [&out](Entries&& entries) { out = std::move(entries); });
  ASSERT_TRUE(out.status.ok());
  ASSERT_EQ(out.entries.size(), 4u);
  EXPECT_EQ(out.entries[0].key, "below");
  EXPECT_EQ(out.entries[0].value->bytes(), "b");
  EXPECT_EQ(out.entries[1].key, "queued");
  EXPECT_EQ(out.entries[1].value->bytes(), "q");
  EXPECT_EQ(out.entries[1].flags, kResultPending);
  EXPECT_EQ(out.entries[2].status.code(), Code::kNotFound);
  EXPECT_EQ(out.entries[3].status.code(), Code::kNotFound);
  EXPECT_EQ(remote->gets, 2);
  remote->own_caps &= ~static_cast<uint32_t>(kCapTry);
  store->GetMany({OwnedKey(Key("below")), OwnedKey(Key("queued"))}, Later().With(Wait::kNever),
                 [&out](Entries&& entries) { out = std::move(entries); });
  EXPECT_EQ(out.status.code(), Code::kWouldBlock);
  store->GetMany({OwnedKey(Key("queued"))}, Later().With(Wait::kNever),
                 [&out](Entries&& entries) { out = std::move(entries); });
  EXPECT_TRUE(out.status.ok());
}

TEST_F(WriteBehindTest, ABatchIsAcknowledgedEntryByEntry) {
  remote->own_limits.max_value_size = 3;
  Open();
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("1"), 0});
  batch->ops.push_back({OwnedKey(Key("b")), Value::Copy("too large"), 0});
  batch->ops.push_back({OwnedKey(Key("a")), nullptr, 0});
  batch->ops.push_back({OwnedKey(Key("c")), Value::Copy("3"), 0});
  Entries out;
  store->Write(batch, Later(), [&out](Entries&& entries) { out = std::move(entries); });
  EXPECT_EQ(out.status.code(), Code::kPartial);
  ASSERT_EQ(out.entries.size(), 4u);
  EXPECT_EQ(out.entries[0].flags, kResultPending);
  EXPECT_EQ(out.entries[1].status.code(), Code::kTooLarge);
  EXPECT_TRUE(out.entries[2].status.ok());
  EXPECT_EQ(Read1("a"), "(none)");
  clock->RunAll();
  EXPECT_EQ(remote->data.size(), 1u);
  EXPECT_EQ(remote->ValueOf("c"), "3");
}

TEST_F(WriteBehindTest, ADeliveredBatchWaitsForAllAtOnce) {
  remote->hold = true;
  Open();
  auto batch = MakeRef<Batch>();
  batch->ops.push_back({OwnedKey(Key("a")), Value::Copy("1"), 0});
  batch->ops.push_back({OwnedKey(Key("b")), Value::Copy("2"), 0});
  Entries out{Status(Code::kWouldBlock)};
  store->Write(batch, Later(Ack::kDelivered), [&out](Entries&& e) { out = std::move(e); });
  clock->RunAll();
  EXPECT_EQ(remote->held.size(), 2u);
  remote->Answer1();
  clock->RunAll();
  EXPECT_EQ(out.status.code(), Code::kWouldBlock);
  remote->Answer1();
  clock->RunAll();
  EXPECT_TRUE(out.status.ok());
  EXPECT_EQ(out.entries[1].flags, 0u);
  EXPECT_NE(out.entries[1].meta.version, 0u);
}

TEST_F(WriteBehindTest, FillsStopAboveIt) {
  Open();
  const Call fill = Later(Ack::kDefault, Call::kFill);
  EXPECT_EQ(CodeOf(Put("k", "v", fill)), Code::kOk);
  EXPECT_EQ(CodeOf(Del("k", fill)), Code::kOk);
  EXPECT_EQ(store->counters().keys_known, 0u);
  clock->RunAll();
  EXPECT_TRUE(remote->log.empty());
  EXPECT_EQ(Read1("k"), "(none)");
}

TEST_F(WriteBehindTest, RefusesWhatCouldNeverBeDelivered) {
  remote->own_limits.max_value_size = 4;
  remote->own_limits.max_key_size = 8;
  remote->own_limits.ttl = false;
  Open();
  EXPECT_EQ(CodeOf(Put("k", "12345")), Code::kTooLarge);
  EXPECT_EQ(CodeOf(Put("", "v")), Code::kInvalid);
  EXPECT_EQ(CodeOf(Put("123456789", "v")), Code::kInvalid);
  EXPECT_EQ(CodeOf(Del("123456789")), Code::kInvalid);
  EXPECT_EQ(CodeOf(Put("k", "v", Later(), clock->wall_ms + 1)), Code::kUnsupported);
  EXPECT_EQ(CodeOf(Put("k", "v", Later(Ack::kJournaled))), Code::kUnsupported);
  EXPECT_EQ(CodeOf(Del("k", Later(Ack::kJournaled))), Code::kUnsupported);
  EXPECT_EQ(store->counters().keys_known, 0u);
  EXPECT_EQ(CodeOf(Put("k", "1234")), Code::kOk);
}

TEST_F(WriteBehindTest, RefusesWhatCanNeverFitIntoTheQueue) {
  settings.max_bytes = 2000;
  Open();
  const Ending put = Put("k", std::string(2000, 'x'));
  ASSERT_EQ(CodeOf(put), Code::kTooLarge);
  EXPECT_NE((*put)->status.error()->message().find("max_bytes"), std::string::npos);
  EXPECT_EQ(store->limits().max_value_size, 2000 - kMaxKeySize);
  EXPECT_EQ(CodeOf(Put("k", std::string(1999, 'x'))), Code::kOk);
}

TEST_F(WriteBehindTest, ClaimsWhatItKeeps) {
  Open();
  const uint32_t caps = store->caps();
  EXPECT_EQ(caps & (kCapDurable | kCapAtomicBatch), 0u);
  EXPECT_EQ(caps & (kCapTry | kCapBehind), kCapTry | kCapBehind);
  EXPECT_NE(caps & kCapScan, 0u);
  EXPECT_EQ(store->inner(0), remote.get());
  EXPECT_EQ(store->inner(1), nullptr);
  EXPECT_EQ(store->limits().max_key_size, kMaxKeySize);
}

TEST_F(WriteBehindTest, AWriteThatExpiresBeforeItsDeliveryBecomesADelete) {
  remote->data["k"] = {"older", 0};
  remote->data["f"] = {"older", 0};
  remote->hold = true;
  settings.concurrency = 1;
  settings.settle_ms = 0;
  Open();
  Put("f", "flying", Later(), clock->wall_ms + 100);
  Put("k", "v", Later(), clock->wall_ms + 100);
  clock->RunAll();
  EXPECT_EQ(Get("k").meta.expires_at_ms, clock->wall_ms + 100);
  EXPECT_EQ(Read1("k"), "v");
  clock->Advance(100);
  EXPECT_EQ(Read1("k"), "(none)");
  EXPECT_EQ(Get("k", Read::Stat()).status.code(), Code::kNotFound);
  EXPECT_EQ(remote->gets, 0);
  remote->hold = false;
  // The one that was flying failed without a clear answer, and expired: it is not repeated.
  remote->Fail1(Failed(Code::kTimeout));
  clock->Advance(200);
  EXPECT_EQ(remote->log, (std::vector<std::string>{"put f flying", "del k", "del f"}));
  EXPECT_TRUE(remote->data.empty());
  EXPECT_EQ(store->counters().keys_known, 0u);
}

TEST_F(WriteBehindTest, EveryOperationAfterCloseAnswersClosed) {
  Open();
  auto closed = StartClose();
  ASSERT_TRUE(closed->ok());
  EXPECT_EQ(CodeOf(Put("k", "v")), Code::kClosed);
  EXPECT_EQ(CodeOf(Del("k")), Code::kClosed);
  EXPECT_EQ(Get("k").status.code(), Code::kClosed);
  EXPECT_EQ(Flush()->code(), Code::kClosed);
  Page page;
  store->Scan({}, Later(), [&page](Page&& out) { page = std::move(out); });
  EXPECT_EQ(page.status.code(), Code::kClosed);
  EXPECT_TRUE(remote->closed());
  store->error_sink().Set(nullptr, nullptr, nullptr);
  store = nullptr;
}

TEST(WriteBehindOptionsTest, ChecksItsOptions) {
  Ref<Store> remote = MakeRef<Remote>();
  const auto code = [&](const char* name, const char* value) {
    Options options;
    options.values[name] = value;
    Result<Ref<Store>> made = NewWriteBehind(remote, &options);
    return made.ok() ? Code::kOk : made.status().code();
  };
  EXPECT_EQ(code("journal", "off"), Code::kOk);
  EXPECT_EQ(code("journal", "auto"), Code::kOk);
  EXPECT_EQ(code("journal", "/var/spool/app"), Code::kUnsupported);
  EXPECT_EQ(code("overflow", "block"), Code::kOk);
  EXPECT_EQ(code("overflow", "drop"), Code::kInvalid);
  EXPECT_EQ(code("max_entries", "0"), Code::kInvalid);
  EXPECT_EQ(code("max_bytes", "0"), Code::kInvalid);
  EXPECT_EQ(code("concurrency", "0"), Code::kInvalid);
  EXPECT_EQ(code("concurrency", "1025"), Code::kInvalid);
  EXPECT_EQ(code("retry_min", "2m"), Code::kInvalid);
  EXPECT_EQ(code("settle", "0ms"), Code::kOk);
  EXPECT_EQ(code("settle", "9999999999999h"), Code::kInvalid);
  EXPECT_EQ(code("attempt_timeout", "0s"), Code::kInvalid);
  EXPECT_EQ(code("no_such", "1"), Code::kInvalid);
  EXPECT_EQ(NewWriteBehind(nullptr, nullptr).status().code(), Code::kInvalid);
  EXPECT_TRUE(NewWriteBehind(remote, nullptr).ok());
}

TEST(WriteBehindOptionsTest, ReadsEveryOption) {
  Options options;
  options.values = {{"max_entries", "7"}, {"max_bytes", "8KiB"}, {"overflow", "through"},
                    {"concurrency", "3"}, {"settle", "4ms"},     {"attempt_timeout", "5s"},
                    {"retry_min", "6ms"}, {"retry_max", "9ms"},  {"drain_idle", "10ms"}};
  Result<Settings> parsed = Settings::Parse(&options);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->max_entries, 7u);
  EXPECT_EQ(parsed->max_bytes, 8192u);
  EXPECT_EQ(parsed->overflow, Overflow::kThrough);
  EXPECT_EQ(parsed->concurrency, 3u);
  EXPECT_EQ(parsed->settle_ms, 4);
  EXPECT_EQ(parsed->attempt_timeout_ms, 5000);
  EXPECT_EQ(parsed->retry_min_ms, 6);
  EXPECT_EQ(parsed->retry_max_ms, 9);
  EXPECT_EQ(parsed->drain_idle_ms, 10);
  // The table's defaults and those of Settings are the same.
  const Settings defaults;
  Result<Settings> none = Settings::Parse(nullptr);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->max_entries, defaults.max_entries);
  EXPECT_EQ(none->max_bytes, defaults.max_bytes);
  EXPECT_EQ(none->overflow, defaults.overflow);
  EXPECT_EQ(none->concurrency, defaults.concurrency);
  EXPECT_EQ(none->attempt_timeout_ms, defaults.attempt_timeout_ms);
  EXPECT_EQ(none->settle_ms, defaults.settle_ms);
  EXPECT_EQ(none->retry_min_ms, defaults.retry_min_ms);
  EXPECT_EQ(none->retry_max_ms, defaults.retry_max_ms);
  EXPECT_EQ(none->drain_idle_ms, defaults.drain_idle_ms);
}

}  // namespace
}  // namespace chainstore::behind
