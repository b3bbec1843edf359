#include "managers/key_hash/key_hash.h"

#include <gtest/gtest.h>

#include "managers/key_hash/hashed_value.h"
#include "support/scripted_store.h"
#include "support/store_calls.h"

namespace chainstore {
namespace {

Ref<Store> Hashed(Ref<Store> inner, const char* digest = "sha256") {
  return *NewKeyHash(std::move(inner), digest, nullptr);
}

// Every key has one of two digests: that of its first byte's lowest bit.
std::string TwoDigests(Bytes key) { return key[0] % 2 ? "odd" : "even"; }
constexpr Digest kChecked = {"weak", 4, true, &TwoDigests};
constexpr Digest kTrusted = {"trusted", 4, false, &TwoDigests};

class KeyHashTest : public ::testing::TestWithParam<const char*> {
 protected:
  Ref<ScriptedStore> inner_ = ScriptedStore::New("inner");
  Ref<Store> store_ = Hashed(inner_, GetParam());
};
INSTANTIATE_TEST_SUITE_P(Digests, KeyHashTest, ::testing::Values("sha256", "xxh3-128"));

TEST_P(KeyHashTest, TheWrappedStoreSeesDigestsAndTheWholeKeyBesideTheValue) {
  const std::string key = "user/\n1";
  ASSERT_EQ(Put(*store_, key, "value"), Code::kOk);
  EXPECT_EQ(inner_->Peek(FindDigest(GetParam())->of(key)), HashedHeader(key) + "value");
  EXPECT_EQ(GetText(*store_, key), "value");
  EXPECT_EQ(GetText(*store_, "none"), "(CS_NOT_FOUND)");
  ASSERT_EQ(Put(*store_, key, ""), Code::kOk);
  EXPECT_EQ(GetText(*store_, key), "");
  ASSERT_EQ(Del(*store_, key), Code::kOk);
  EXPECT_EQ(GetText(*store_, key), "(CS_NOT_FOUND)");
  EXPECT_EQ(inner_->Peek(FindDigest(GetParam())->of(key)), "");
}

TEST_P(KeyHashTest, SizesAndRangesAreThoseOfTheValue) {
  PutInto(*store_, "k", "0123456789", 0, Wait::kHere, 4'000'000'000'000);
  const Answer stat = GetFrom(*store_, "k", 0, Wait::kHere, Read::Stat());
  EXPECT_EQ(stat.meta.total_size, 10u);
  EXPECT_EQ(stat.meta.expires_at_ms, 4'000'000'000'000);
  EXPECT_FALSE(stat.value);
  const auto range = [&](uint64_t offset, uint64_t length) {
    const Answer answer = GetFrom(*store_, "k", 0, Wait::kLater, Read::Range(offset, length));
    EXPECT_EQ(answer.meta.total_size, 10u);
    return TextOf(answer);
  };
  EXPECT_EQ(range(2, 3), "234");
  EXPECT_EQ(range(8, 100), "89");
  EXPECT_EQ(range(10, 1), "");
  EXPECT_EQ(range(UINT64_MAX, UINT64_MAX), "");
  EXPECT_EQ(range(0, UINT64_MAX), "0123456789");
}

TEST_P(KeyHashTest, ManyKeysAtOnce) {
  auto batch = MakeRef<Batch>();
  for (const char* key : {"a", "b", "c"}) {
    batch->ops.push_back({OwnedKey(Key(key)), Value::Copy(key), 0});
  }
  batch->ops.push_back({OwnedKey(Key("b")), nullptr, 0});
  const Entries written = WriteInto(*store_, Ref<const Batch>(batch.get()));
  EXPECT_TRUE(written.status.ok());
  EXPECT_EQ(written.entries[2].meta.total_size, 1u);
  Entries found;
  Await<Entries>(Call(), &found, [&](Done<Entries> done) {
    store_->GetMany({OwnedKey(Key("a")), OwnedKey(Key("b")), OwnedKey(Key("c"))}, Call(),
                    std::move(done));
  });
  ASSERT_EQ(found.entries.size(), 3u);
  EXPECT_EQ(found.entries[0].key, "a");
  EXPECT_EQ(found.entries[0].value->bytes(), "a");
  EXPECT_EQ(found.entries[0].meta.total_size, 1u);
  EXPECT_TRUE(found.entries[1].status.Is(Code::kNotFound));
  EXPECT_EQ(found.entries[2].value->bytes(), "c");
}

TEST_P(KeyHashTest, ScansGiveTheOriginalKeysInOrder) {
  for (const char* key : {"b/2", "a", "b/1", "c", "b/3", "b"}) Put(*store_, key, key);
  EXPECT_EQ(ScanText(*store_, {}), "a=a b=b b/1=b/1 b/2=b/2 b/3=b/3 c=c");
  Range range;
  range.page_size = 2;
  EXPECT_EQ(ScanText(*store_, range), "a=a b=b b/1=b/1 b/2=b/2 b/3=b/3 c=c");
  range.reverse = true;
  range.keys_only = true;
  EXPECT_EQ(ScanText(*store_, range), "c b/3 b/2 b/1 b a");
  range.prefix = "b/";
  EXPECT_EQ(ScanText(*store_, range), "b/3 b/2 b/1");
  range.prefix = "x";
  EXPECT_EQ(ScanText(*store_, range), "");
  range = {};
  range.start = "b/2";
  range.end = "c";
  range.has_end = true;
  EXPECT_EQ(ScanText(*store_, range), "b/2=b/2 b/3=b/3");
}

TEST_P(KeyHashTest, APageEndsWhenItsBytesAreManyAndTheRestFollows) {
  const std::string large(Range::kMaxPageBytes / 2, 'v');
  for (const char* key : {"c", "a", "d", "b"}) Put(*store_, key, large);
  Range range;
  const Page first = ScanPage(*store_, range);
  ASSERT_EQ(first.entries.size(), 2u);
  EXPECT_TRUE(first.more);
  EXPECT_EQ(first.entries[0].key, "a");
  range.after = "b";
  range.has_after = true;
  const Page second = ScanPage(*store_, range);
  ASSERT_EQ(second.entries.size(), 2u);
  EXPECT_EQ(second.entries[1].key, "d");
  EXPECT_EQ(second.entries[1].meta.total_size, large.size());
  EXPECT_FALSE(second.more);
}

TEST_P(KeyHashTest, WhatNoKeyHashWroteIsCorruptAndNeverAValue) {
  inner_->Plant(FindDigest(GetParam())->of("k"), "plain");
  EXPECT_EQ(GetFrom(*store_, "k").status.ToString(),
            "CS_CORRUPT: hash: get: what is in inner was not written by a key_hash");
  EXPECT_TRUE(ScanPage(*store_, {}).status.Is(Code::kCorrupt));
  EXPECT_EQ(Put(*store_, "k", "mended"), Code::kOk);
  EXPECT_EQ(GetText(*store_, "k"), "mended");
}

TEST_P(KeyHashTest, FailuresAndTentativeCallsPassThrough) {
  EXPECT_EQ(TextOf(GetFrom(*store_, "k", 0, Wait::kNever)), "(CS_WOULD_BLOCK)");
  inner_->Fail(ScriptedStore::Op::kPut, Code::kNoSpace);
  EXPECT_EQ(Put(*store_, "k", "v"), Code::kNoSpace);
  inner_->Fail(ScriptedStore::Op::kPut, Code::kOk);
  EXPECT_EQ(Put(*store_, "k", "v"), Code::kOk) << "the key is free again";
  inner_->Fail(ScriptedStore::Op::kScan, Code::kIo);
  EXPECT_TRUE(ScanPage(*store_, {}).status.Is(Code::kIo));
  store_->NoteMiss(Key("k"));
  EXPECT_EQ(inner_->misses_noted(), 1u);
}

TEST(KeyHashCollisionTest, AWriteThatWouldHitAnotherKeyIsRefused) {
  auto inner = ScriptedStore::New("inner");
  auto store = NewKeyHashWith(inner, kChecked);
  ASSERT_EQ(Put(*store, "b1", "mine"), Code::kOk);
  const Receipt refused = PutInto(*store, "d2", "other", 0, Wait::kLater);
  EXPECT_EQ(refused.status.ToString(),
            "CS_UNSUPPORTED: hash: put: another key has the same weak digest; rename the key, or "
            "use sha256");
  EXPECT_EQ(GetText(*store, "d2"), "(CS_NOT_FOUND)");
  EXPECT_EQ(TextOf(GetFrom(*store, "d2", 0, Wait::kHere, Read::Stat())), "(CS_NOT_FOUND)");
  EXPECT_EQ(TextOf(GetFrom(*store, "d2", 0, Wait::kHere, Read::Range(0, 1))), "(CS_NOT_FOUND)");
  EXPECT_EQ(Del(*store, "d2"), Code::kOk) << "it was not there";
  EXPECT_EQ(GetText(*store, "b1"), "mine");
  ASSERT_EQ(Put(*store, "b1", "changed"), Code::kOk);
  ASSERT_EQ(Put(*store, "a1", "odd"), Code::kOk);
  ASSERT_EQ(Del(*store, "b1"), Code::kOk);
  EXPECT_EQ(Put(*store, "d2", "now"), Code::kOk);
  EXPECT_EQ(ScanText(*store, {}), "a1=odd d2=now");
  EXPECT_FALSE(store->caps() & kCapAtomicBatch);
}

TEST(KeyHashCollisionTest, NoReadEverGivesAnotherKeysValue) {
  auto inner = ScriptedStore::New("inner");
  auto store = NewKeyHashWith(inner, kTrusted);
  ASSERT_EQ(Put(*store, "b1", "first"), Code::kOk);
  ASSERT_EQ(Put(*store, "d2", "second"), Code::kOk);
  EXPECT_EQ(GetText(*store, "b1"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, "d2"), "second");
  Entries found;
  Await<Entries>(Call(), &found, [&](Done<Entries> done) {
    store->GetMany({OwnedKey(Key("b1")), OwnedKey(Key("d2"))}, Call(), std::move(done));
  });
  EXPECT_TRUE(found.entries[0].status.Is(Code::kNotFound));
  EXPECT_FALSE(found.entries[0].value);
  EXPECT_EQ(found.entries[1].value->bytes(), "second");
}

TEST(KeyHashCollisionTest, TwoWritersOfOneDigestTakeTurns) {
  auto inner = ScriptedStore::New("inner");
  auto store = NewKeyHashWith(inner, kChecked);
  std::vector<ScriptedStore::Go> held;
  inner->SetScript([&held](ScriptedStore::Op op, const std::string&, ScriptedStore::Go go) {
    if (op == ScriptedStore::Op::kPut) return held.push_back(std::move(go));
    go(Code::kOk);
  });
  std::vector<Code> ended;
  const auto put = [&](const char* key) {
    store->Put(Key(key), Payload(Bytes("v")), CallOf(Wait::kLater),
               [&ended](Receipt&& receipt) { ended.push_back(receipt.status.code()); });
  };
  put("b1");
  ASSERT_EQ(held.size(), 1u);
  EXPECT_EQ(Del(*NewKeyHashWith(inner, kTrusted), "a1"), Code::kOk);
  Call impatient = CallOf(Wait::kHere);
  impatient.deadline_ns = Clock::System().DeadlineAfterMs(5);
  Receipt receipt;
  store->Put(Key("d2"), Payload(Bytes("v")), impatient,
             [&receipt](Receipt&& got) { receipt = std::move(got); });
  EXPECT_EQ(receipt.status.code(), Code::kTimeout) << "it waits for the first one's outcome";
  held[0](Code::kOk);
  EXPECT_EQ(ended, std::vector<Code>{Code::kOk});
  EXPECT_EQ(inner->Peek("even"), HashedHeader("b1") + "v");
}

TEST(KeyHashLimitTest, SaysWhatItTakes) {
  auto inner = ScriptedStore::New("inner");
  Limits limits;
  limits.max_key_size = 64;
  limits.max_value_size = 5000;
  inner->SetLimits(limits);
  auto store = Hashed(inner);
  EXPECT_EQ(store->limits().max_key_size, kMaxKeySize);
  EXPECT_EQ(store->limits().max_value_size, 5000 - 4 - kMaxKeySize);
  limits.max_key_size = 63;
  inner->SetLimits(limits);
  EXPECT_EQ(NewKeyHash(inner, "sha256", nullptr).status().code(), Code::kInvalid);
  EXPECT_EQ(NewKeyHash(inner, "md5", nullptr).status().ToString(),
            "CS_INVALID: hash: there is no digest 'md5': it is sha256 or xxh3-128");
  auto blind = Hashed(ScriptedStore::New("blind", 0));
  EXPECT_FALSE(blind->caps() & kCapScan);
  EXPECT_TRUE(ScanPage(*blind, {}).status.Is(Code::kUnsupported));
}

}  // namespace
}  // namespace chainstore
