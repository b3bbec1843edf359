#include "core/trace.h"

#include <gtest/gtest.h>

#include <regex>

#include "chain/chain.h"
#include "core/below.h"
#include "core/trace_sink.h"
#include "stores/memory/memory_store.h"
#include "support/event.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

Ref<Store> Memory() { return *NewMemoryStore(1 << 20, nullptr); }

// Without what differs from run to run.
std::string Plain(const std::string& json) {
  return std::regex_replace(json, std::regex(R"re(,"(at_ms|start_us|us)":[0-9.]+)re"), "");
}

TEST(TraceTest, ShowsATreeWithWhatEachStoreSaid) {
  const Ref<Store> memory = Memory();
  const auto trace = MakeRef<Trace>(*memory, "a\"b");
  const uint16_t root = trace->Begin(Trace::kNone, *memory, "get", 0);
  const uint16_t first = trace->Begin(root, *memory, "get", 0);
  const uint16_t inner = trace->Begin(first, *memory, "stat", 0);
  trace->End(inner, Answer(Code::kNotFound));
  trace->Note(inner, "retries", 2);
  trace->Note(inner, "hops", 1);
  trace->Note(inner, "retries", 3);
  trace->End(first, Answer(Code::kNotFound));
  trace->Begin(root, *memory, "put", Call::kFill);
  Answer found;
  found.tier = 2;
  trace->End(root, found);
  trace->End(root, Answer(Code::kIo));  // the first end counts
  EXPECT_EQ(Plain(trace->ToJson()),
            R"({"op":"get","store":"memory:","key":"a\"b","status":"CS_OK","tier":2,"spans":[)"
            R"({"op":"get","store":"memory:","status":"CS_NOT_FOUND","spans":[)"
            R"({"op":"stat","store":"memory:","status":"CS_NOT_FOUND","retries":5,"hops":1}]},)"
            R"({"op":"put","store":"memory:","fill":true}]})");
}

TEST(TraceTest, AKeyThatIsNotPrintableIsHexadecimal) {
  const Ref<Store> memory = Memory();
  const auto trace = MakeRef<Trace>(*memory, Bytes("\xff\n", 2));
  trace->Begin(Trace::kNone, *memory, "del", 0);
  EXPECT_EQ(Plain(trace->ToJson()), R"({"op":"del","store":"memory:","key_hex":"ff0a"})");
}

TEST(TraceTest, WhatIsTooMuchIsCounted) {
  const Ref<Store> memory = Memory();
  const auto trace = MakeRef<Trace>(*memory, "");
  const uint16_t root = trace->Begin(Trace::kNone, *memory, "write", 0);
  for (size_t at = 0; at < Trace::kMaxSpans + 10; ++at) {
    const uint16_t span = trace->Begin(root, *memory, "put", 0);
    EXPECT_EQ(span == Trace::kNone, at + 1 >= Trace::kMaxSpans);
    trace->Note(span, "retries", 1);
    trace->End(span, Receipt());
  }
  EXPECT_NE(trace->ToJson().find(R"("not_shown":11)"), std::string::npos);
}

// ---- Stores that are asked with a trace ----

struct Told {
  Mutex mutex;
  CondVar changed;
  std::vector<std::string> lines CS_GUARDED_BY(mutex);

  static void Tell(void* self, const char* json, size_t size) {
    auto* told = static_cast<Told*>(self);
    MutexLock lock(told->mutex);
    told->lines.emplace_back(json, size);
    told->changed.NotifyAll();
  }
  std::string Next() {
    MutexLock lock(mutex);
    while (lines.empty()) changed.Wait(mutex);
    std::string line = Plain(lines.front());
    lines.erase(lines.begin());
    return line;
  }
};

Answer Ask(Store& store, Bytes key, Wait wait = Wait::kHere) {
  Answer answer;
  Await<Answer>(Call(), &answer, [&](Done<Answer> done) {
    Front(store).Run(key, CallOf(wait), [&](const Below& below, const Call& call) {
      below.Get(Key(key), Read::Whole(), call, std::move(done));
    });
  });
  return answer;
}

class TracedChainTest : public ::testing::TestWithParam<const char*> {
 protected:
  TracedChainTest() {
    Options options;
    options.values = {{"writes", "through"}, {"fill", GetParam()}};
    chain_ = *NewChain({first_, second_}, &options);
    chain_->trace_sink().Set(&Told::Tell, &told_, nullptr);
  }
  ~TracedChainTest() override { EXPECT_TRUE(CloseStore(*chain_).ok()); }

  Told told_;
  const Ref<Store> first_ = Memory();
  const Ref<Store> second_ = Memory();
  Ref<Store> chain_;
};

TEST_P(TracedChainTest, AHitBelowShowsTheWayAndItsFill) {
  chain_->SetTraced(true);
  EXPECT_EQ(Put(*second_, "k", "v"), Code::kOk);
  for (const Wait wait : {Wait::kHere, Wait::kLater}) {
    EXPECT_EQ(TextOf(Ask(*chain_, "k", wait)), "v");
    EXPECT_EQ(told_.Next(),
              R"({"op":"get","store":"chain","key":"k","status":"CS_OK","tier":2,"spans":[)"
              R"({"op":"get","store":"memory:","status":"CS_NOT_FOUND"},)"
              R"({"op":"get","store":"memory:","status":"CS_OK","tier":1},)"
              R"({"op":"put","store":"memory:","fill":true,"status":"CS_OK"}]})");
    EXPECT_EQ(Del(*first_, "k"), Code::kOk);
  }
}

TEST_P(TracedChainTest, WhoWouldBlockLeavesNoneAndWhoIsNotTracedNeither) {
  EXPECT_EQ(TextOf(Ask(*chain_, "before")), "(CS_NOT_FOUND)");
  chain_->SetTraced(true);
  {
    const auto trace = MakeRef<Trace>(*chain_, "k");
    trace->End(trace->Begin(Trace::kNone, *chain_, "get", 0), Answer(Code::kWouldBlock));
  }
  EXPECT_EQ(TextOf(Ask(*chain_, "last")), "(CS_NOT_FOUND)");
  EXPECT_NE(told_.Next().find(R"("key":"last")"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Fills, TracedChainTest, ::testing::Values("sync", "async"));

}  // namespace
}  // namespace chainstore
