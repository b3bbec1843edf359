#include <atomic>
#include <map>
#include <random>
#include <thread>

#include "memory_fixture.h"

namespace chainstore {
namespace {

class MemoryScanTest : public MemoryFixture {
 protected:
  using Map = std::map<std::string, std::string>;

  // Every key of the range, page by page.
  std::vector<std::pair<std::string, std::string>> All(Range range) {
    std::vector<std::pair<std::string, std::string>> out;
    for (;;) {
      Page page = Scan(range);
      EXPECT_FALSE(page.status.failed()) << page.status.ToString();
      EXPECT_EQ(page.status.Is(Code::kEnd), page.entries.empty());
      EXPECT_LE(page.entries.size(), range.Limit());
      for (Entry& entry : page.entries) {
        EXPECT_EQ(entry.value == nullptr, range.keys_only);
        out.emplace_back(entry.key, entry.value ? std::string(entry.value->bytes()) : "");
      }
      if (!page.more) return out;
      range.has_after = true;
      range.after = page.entries.back().key;
    }
  }
  static std::vector<std::pair<std::string, std::string>> Expected(const Map& map,
                                                                   const Range& range) {
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [key, value] : map) {
      if (range.Contains(key)) out.emplace_back(key, range.keys_only ? "" : value);
    }
    if (range.reverse) std::reverse(out.begin(), out.end());
    return out;
  }
};

TEST_F(MemoryScanTest, AgreesWithAMapForRandomKeysAndRanges) {
  std::mt19937 random(7);
  const auto text = [&random](size_t longest) {
    std::string key(1 + random() % longest, 0);
    // Few letters, so that prefixes are shared; the extremes, because order is by unsigned bytes.
    for (char& byte : key)
      byte =
          "\x00\x01"
          "ab\x7f\x80\xff"[random() % 7];
    return key;
  };
  Map map;
  for (int i = 0; i < 3000; ++i) {
    const std::string key = text(6), value = std::to_string(i);
    ASSERT_TRUE(Put(key, value).status.ok());
    map[key] = value;
    if (i % 5 == 0) {
      const std::string gone = text(4);
      ASSERT_TRUE(Del(gone).status.ok());
      map.erase(gone);
    }
  }
  for (int round = 0; round < 60; ++round) {
    Range range;
    range.reverse = round % 2 == 1;
    range.keys_only = round % 3 == 0;
    range.page_size = 1 + random() % 300;
    if (random() % 2) range.prefix = text(2);
    if (random() % 2) range.start = text(3);
    if (random() % 2) {
      range.end = text(3);
      range.has_end = true;
    }
    ASSERT_EQ(All(range), Expected(map, range)) << round;
  }
}

TEST_F(MemoryScanTest, SaysEndOfAnEmptyRangeAndHidesExpiredEntries) {
  EXPECT_EQ(Scan(Range()).status.code(), Code::kEnd);
  ASSERT_TRUE(Put("a", "v", kStartMs + 1).status.ok());
  ASSERT_TRUE(Put("b", "v", kStartMs + 2).status.ok());
  clock_.AdvanceMs(1);
  const Page page = Scan(Range());
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].key, "b");
  EXPECT_EQ(page.entries[0].meta.expires_at_ms, kStartMs + 2);
  EXPECT_EQ(page.entries[0].meta.total_size, 1u);
  EXPECT_EQ(page.entries[0].meta.version, Get("b").meta.version);
}

TEST_F(MemoryScanTest, EndsAPageOnceItsValuesAreLarge) {
  const std::string large(3 << 20, 'v');
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(Put(key, large).status.ok());
  Page page = Scan(Range());
  EXPECT_EQ(page.entries.size(), 3u);
  EXPECT_TRUE(page.more);
  Range keys_only;
  keys_only.keys_only = true;
  EXPECT_EQ(Scan(keys_only).entries.size(), 5u);
  EXPECT_EQ(All(Range()).size(), 5u);
}

TEST_F(MemoryScanTest, OwnedPagesPinNoForeignMemory) {
  int released = 0;
  const auto release = [](void* context) { ++*static_cast<int*>(context); };
  ASSERT_TRUE(Put("k", Payload(Value::Wrap("wrapped", release, &released))).status.ok());
  const Page page = Scan(Range(), With(Call::kOwned));
  ASSERT_TRUE(Del("k").status.ok());
  EXPECT_EQ(released, 1);
  EXPECT_EQ(page.entries[0].value->bytes(), "wrapped");
}

// Whatever is not touched meanwhile comes exactly once and in order, in both directions; the table
// grows and shrinks under the scan.
TEST_F(MemoryScanTest, MissesNothingThatStaysWhileWritersRun) {
  Open(uint64_t{256} << 20, "2");
  Map stay;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "stay" + std::to_string(i * 7919 % 100'000);
    ASSERT_TRUE(Put(key, "s").status.ok());
    stay[key] = "s";
  }
  std::atomic<bool> stop{false};
  std::vector<std::thread> writers;
  for (int writer = 0; writer < 2; ++writer) {
    writers.emplace_back([&, writer] {
      for (int i = 0; i < 30'000 || !stop; ++i) {
        const std::string key = std::to_string(writer) + "move" + std::to_string(i % 5000);
        const Status status = i / 5000 % 2 == 0 ? Put(key, "m").status : Del(key).status;
        EXPECT_TRUE(status.ok());
      }
    });
  }
  for (int round = 0; round < 8; ++round) {
    Range range;
    range.reverse = round % 2 == 1;
    range.page_size = 400;
    const auto all = All(range);
    std::vector<std::pair<std::string, std::string>> seen;
    for (size_t at = 0; at < all.size(); ++at) {
      if (at > 0) {
        const bool ordered =
            range.reverse ? all[at].first < all[at - 1].first : all[at].first > all[at - 1].first;
        EXPECT_TRUE(ordered);
      }
      if (all[at].first.starts_with("stay")) seen.push_back(all[at]);
    }
    EXPECT_EQ(seen, Expected(stay, range));
  }
  stop = true;
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace chainstore
