#include <algorithm>
#include <random>

#include "stores/lmdb/lmdb_test_support.h"
#include "stores/lmdb/stored_key.h"
#include "stores/record.h"

namespace chainstore {
namespace {

std::string Long(char fill, const std::string& tail) { return std::string(400, fill) + tail; }

TEST(LmdbStoredKeyTest, KeepsShortKeysAndDigestsLongOnes) {
  for (const size_t size : {1, 399, 400, 431, 433, 511}) {
    const std::string key(size, 'k');
    lmdb::StoredKey stored(key, false);
    EXPECT_FALSE(stored.is_digest());
    EXPECT_EQ(Bytes(static_cast<char*>(stored.val()->mv_data), stored.val()->mv_size), key);
  }
  for (const size_t size : {432, 512, 513, 1024}) {
    const std::string key(size, 'k');
    lmdb::StoredKey stored(key, false);
    EXPECT_TRUE(stored.is_digest());
    EXPECT_EQ(stored.val()->mv_size, 432u);
    EXPECT_EQ(Bytes(static_cast<char*>(stored.val()->mv_data), 400), key.substr(0, 400));
  }
}

// The bytes are a promise to every later version: 400 bytes, then the SHA-256 of the rest.
TEST(LmdbStoredKeyTest, HasTheFormThatTheHeaderCommentWritesDown) {
  const std::string rest(112, 'r');
  lmdb::StoredKey stored(std::string(400, 'p') + rest, false);
  lmdb::StoredKey again(std::string(400, 'q') + rest, false);
  const auto* form = static_cast<unsigned char*>(stored.val()->mv_data);
  const auto* other = static_cast<unsigned char*>(again.val()->mv_data);
  EXPECT_EQ(memcmp(form + 400, other + 400, 32), 0) << "the digest is that of the rest";
  // printf 'r%.0s' $(seq 112) | sha256sum
  EXPECT_EQ(form[400], 0x5c);
  EXPECT_EQ(form[431], 0xda);
}

// Keys of every length around the limits, many with one prefix; among them one that is byte for
// byte the digest form of another.
std::vector<std::string> HardKeys() {
  std::vector<std::string> keys;
  for (const size_t size : {1, 399, 400, 401, 431, 432, 433, 510, 511, 512, 513, 1023, 1024}) {
    keys.push_back(std::string(size, 'm'));
    keys.push_back(std::string(size - 1, 'm') + "a");
    keys.push_back(std::string(size - 1, 'm') + "z");
  }
  for (int i = 0; i < 40; ++i) keys.push_back(Long('m', std::to_string(i) + std::string(600, 'x')));
  for (int i = 0; i < 10; ++i) keys.push_back(Long('m', std::to_string(i) + "y"));
  const std::string original = Long('m', std::string(300, 'o'));
  lmdb::StoredKey stored(original, false);
  keys.push_back(original);
  keys.push_back(std::string(static_cast<char*>(stored.val()->mv_data), 432));
  keys.push_back(std::string(1024, '\xff'));
  keys.push_back(std::string(512, '\0'));
  keys.push_back("l");
  keys.push_back("n");
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

std::vector<std::string> KeysOf(Store& store, Range range) {
  std::vector<std::string> keys;
  for (;;) {
    const Page page = ScanPage(store, range);
    EXPECT_TRUE(page.status.ok() || page.status.Is(Code::kEnd)) << page.status.ToString();
    for (const Entry& entry : page.entries) {
      EXPECT_TRUE(entry.status.ok()) << entry.status.ToString();
      EXPECT_EQ(entry.value == nullptr, range.keys_only);
      keys.push_back(entry.key);
    }
    if (!page.more || page.entries.empty()) return keys;
    range.after = keys.back();
    range.has_after = true;
  }
}

TEST(LmdbKeyTest, KeepsLongKeysApartAlsoWhereTheyAgreeInFourHundredBytes) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  const std::vector<std::string> keys = HardKeys();
  for (const std::string& key : keys) ASSERT_EQ(Put(*store, key, "v" + key), Code::kOk);
  for (const std::string& key : keys) EXPECT_EQ(GetText(*store, key), "v" + key);
  EXPECT_EQ(KeysOf(*store, Range()).size(), keys.size());
  for (const std::string& key : keys) {
    ASSERT_EQ(Put(*store, key, "no", Call::kIfAbsent), Code::kExists);
    ASSERT_EQ(Del(*store, key), Code::kOk);
    EXPECT_EQ(GetText(*store, key), "(CS_NOT_FOUND)");
  }
  EXPECT_EQ(ScanText(*store, Range()), "");
}

// Every kind of range over every kind of key, in pages of many sizes, against a sorted list.
TEST(LmdbScanTest, AgreesWithASortedListOfTheKeys) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  const std::vector<std::string> keys = HardKeys();
  for (const std::string& key : keys) ASSERT_EQ(Put(*store, key, "v"), Code::kOk);
  std::vector<std::string> bounds = {
      "", "m", Long('m', ""), Long('m', "1"), std::string(399, 'm'), std::string(1024, '\xff')};
  std::mt19937 random(1);
  for (int i = 0; i < 5; ++i) bounds.push_back(keys[random() % keys.size()]);
  for (const std::string& prefix :
       {std::string(), std::string("m"), Long('m', ""), Long('m', "3")}) {
    for (const std::string& start : bounds) {
      for (const std::string& end : bounds) {
        Range range;
        range.prefix = prefix;
        range.start = start;
        range.end = end;
        range.has_end = !end.empty();
        range.reverse = random() % 2 != 0;
        range.keys_only = random() % 2 != 0;
        range.page_size = std::vector<uint32_t>{1, 3, 7, 256}[random() % 4];
        std::vector<std::string> expected;
        for (const std::string& key : keys) {
          if (range.Contains(key)) expected.push_back(key);
        }
        if (range.reverse) std::reverse(expected.begin(), expected.end());
        ASSERT_EQ(KeysOf(*store, range), expected)
            << "prefix " << prefix.size() << " start " << start.size() << " end " << end.size()
            << " reverse " << range.reverse << " pages of " << range.page_size;
      }
    }
  }
}

TEST(LmdbScanTest, EndsAPageWhenItHoldsEnoughBytes) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"durability", "cache"}});
  const std::string megabyte(1 << 20, 'v');
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(Put(*store, "k" + std::to_string(10 + i), megabyte), Code::kOk);
  }
  const Page page = ScanPage(*store, Range());
  EXPECT_EQ(page.entries.size(), 8u);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(KeysOf(*store, Range()).size(), 12u);
  Range keys_only;
  keys_only.keys_only = true;
  const Page keys = ScanPage(*store, keys_only);
  EXPECT_EQ(keys.entries.size(), 12u);
  EXPECT_FALSE(keys.more);
  EXPECT_EQ(keys.entries[0].meta.total_size, megabyte.size());
}

TEST(LmdbScanTest, SaysEndWhereNothingIsLeft) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  EXPECT_EQ(ScanPage(*store, Range()).status.code(), Code::kEnd);
  ASSERT_EQ(Put(*store, "a", "1"), Code::kOk);
  Range range;
  range.after = "a";
  range.has_after = true;
  EXPECT_EQ(ScanPage(*store, range).status.code(), Code::kEnd);
  range.reverse = true;
  EXPECT_EQ(ScanPage(*store, range).status.code(), Code::kEnd);
  range.after = "b";
  EXPECT_EQ(ScanText(*store, range), "a=1");
}

TEST(LmdbScanTest, HidesExpiredEntriesOfAGroupToo) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db");
  const std::string tail(200, 't');
  for (int i = 0; i < 9; ++i) {
    const std::string key = Long('g', std::to_string(i) + (i % 3 == 0 ? "" : tail));
    PutInto(*store, key, "v", 0, Wait::kHere, i % 2 ? 1 : 0);
  }
  Range range;
  range.page_size = 2;
  EXPECT_EQ(KeysOf(*store, range).size(), 5u);
  range.reverse = true;
  EXPECT_EQ(KeysOf(*store, range).size(), 5u);
}

// Only LMDB itself can put the wrong record there.
TEST(LmdbKeyTest, AnswersCorruptWhereADigestFormHoldsAnotherKey) {
  const TemporaryDirectory root;
  const std::string key = Long('k', std::string(200, '1'));
  const std::string other = Long('k', std::string(200, '2'));
  lmdb::StoredKey form(key, false);
  const std::string form_bytes(static_cast<char*>(form.val()->mv_data), 432);
  { OpenedLmdb create(root / "db"); }
  {
    PlainLmdb plain(root / "db");
    std::string record;
    EncodeRecord(other, "v", Meta(), true, &record);
    plain.Put("chainstore", form_bytes, record);
    EncodeRecord("plain", "v", Meta(), true, &record);
    plain.Put("chainstore", "plain", record);
  }
  for (const char* verify : {"on", "off"}) {
    OpenedLmdb store(root / "db", nullptr, {{"verify", verify}});
    EXPECT_EQ(GetText(*store, key), "(CS_CORRUPT)") << verify;
    EXPECT_EQ(GetText(*store, "plain"), "(CS_CORRUPT)") << verify;
    EXPECT_EQ(GetText(*store, other), "(CS_NOT_FOUND)");
  }
}

TEST(LmdbScanTest, ShowsADamagedEntryAsSuchAndGoesOn) {
  const TemporaryDirectory root;
  {
    OpenedLmdb store(root / "db");
    for (const char* key : {"a", "b", "c"}) ASSERT_EQ(Put(*store, key, "value"), Code::kOk);
  }
  {
    PlainLmdb plain(root / "db");
    std::string stored = plain.All("chainstore")["b"];
    stored.back() = 'X';
    plain.Put("chainstore", "b", stored);
  }
  {
    OpenedLmdb store(root / "db");
    const Answer answer = GetFrom(*store, "b");
    ExpectFailed(answer.status, Code::kCorrupt, "checksum");
    EXPECT_EQ(*answer.status.error()->FindDetail("key"), "b");
    const Page page = ScanPage(*store, Range());
    ASSERT_EQ(page.entries.size(), 3u);
    EXPECT_TRUE(page.status.ok());
    EXPECT_TRUE(page.entries[0].status.ok());
    EXPECT_EQ(page.entries[1].status.code(), Code::kCorrupt);
    EXPECT_EQ(page.entries[1].key, "b");
    EXPECT_EQ(page.entries[2].value->bytes(), "value");
    // A part is not verified: it would mean to read the whole.
    EXPECT_EQ(TextOf(GetFrom(*store, "b", 0, Wait::kHere, Read::Range(0, 4))), "valu");
    EXPECT_EQ(TextOf(GetFrom(*store, "b", 0, Wait::kHere, Read::Range(0, UINT64_MAX))),
              "(CS_CORRUPT)");
    EXPECT_EQ(Put(*store, "b", "healed"), Code::kOk);
    EXPECT_EQ(GetText(*store, "b"), "healed");
  }
  {
    PlainLmdb plain(root / "db");
    plain.Put("chainstore", "b", "not a record");
  }
  OpenedLmdb lax(root / "db", nullptr, {{"verify", "off"}});
  EXPECT_EQ(GetText(*lax, "b"), "(CS_CORRUPT)");
  EXPECT_EQ(Put(*lax, "b", "x", Call::kIfAbsent), Code::kCorrupt);
}

}  // namespace
}  // namespace chainstore
