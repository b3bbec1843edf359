#include "stores/record.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

std::string Stored(Bytes key, Bytes value, const Meta& meta, bool keep_key) {
  std::string stored = "what the memory held before, which must not be seen in a shorter record";
  EncodeRecord(key, value, meta, keep_key, &stored);
  return stored;
}

TEST(RecordTest, GivesBackWhatWasPutIn) {
  Meta meta;
  meta.expires_at_ms = kMaxExpiryMs;
  meta.version = 0x0123456789abcdef;
  for (const bool keep_key : {false, true}) {
    const std::string stored = Stored("key", "value", meta, keep_key);
    RecordView view;
    std::string why;
    ASSERT_TRUE(DecodeRecord(stored, "key", true, &view, &why)) << why;
    EXPECT_EQ(view.value, "value");
    EXPECT_EQ(view.meta.expires_at_ms, kMaxExpiryMs);
    EXPECT_EQ(view.meta.version, meta.version);
    EXPECT_EQ(view.meta.total_size, 5u);
    EXPECT_EQ(view.key, keep_key ? "key" : "");
  }
}

// The bytes are a promise to every later version.
TEST(RecordTest, HasTheFormThatTheHeaderCommentWritesDown) {
  Meta meta;
  meta.expires_at_ms = 0x060504030201;
  meta.version = 0x0807060504030201;
  const std::string header = Stored("k", "v", meta, true);
  ASSERT_EQ(header.size(), kRecordHeaderSize + 2 + 1 + 1);
  EXPECT_EQ(header.substr(0, 16),
            std::string("\x01\x01\x01\x02\x03\x04\x05\x06\x01\x02\x03\x04\x05\x06\x07\x08", 16));
  EXPECT_EQ(header.substr(20), std::string("\x01\x00kv", 4));
}

TEST(RecordTest, FindsEveryFlippedBit) {
  const std::string good = Stored("key", "value", Meta{}, true);
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    RecordView view;
    std::string why;
    const bool decoded = DecodeRecord(bad, "key", true, &view, &why);
    // The kept key is compared by its reader: everything else is the checksum's.
    EXPECT_TRUE(!decoded || view.key != "key") << "bit " << bit;
  }
}

TEST(RecordTest, RefusesEveryTruncationAndAnotherKey) {
  const std::string good = Stored("key", "value", Meta{}, true);
  RecordView view;
  std::string why;
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(DecodeRecord(good.substr(0, size), "key", true, &view, &why)) << size;
  }
  EXPECT_FALSE(DecodeRecord(good, "other", true, &view, &why));
  EXPECT_EQ(why, "checksum mismatch");
}

// A scan has no key of its own: it takes the one that the record keeps, with where that ends.
TEST(RecordTest, FindsEveryFlippedBitAlsoWithTheKeyThatTheRecordKeeps) {
  const std::string good = Stored("key", "value", Meta{}, true);
  RecordView view;
  std::string why;
  ASSERT_TRUE(DecodeRecord(good, Bytes(), true, &view, &why));
  EXPECT_EQ(view.key, "key");
  for (size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string bad = good;
    bad[bit / 8] = static_cast<char>(bad[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeRecord(bad, Bytes(), true, &view, &why)) << "bit " << bit;
  }
}

}  // namespace
}  // namespace chainstore
