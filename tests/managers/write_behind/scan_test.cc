// Scans show what is pending, in order, once.
#include <gtest/gtest.h>

#include <algorithm>

#include "managers/write_behind/sim.h"

namespace chainstore::behind {
namespace {

class ScanTest : public SimTest {
 protected:
  Page Scan1(const Range& range, Call call = Later()) {
    Page out(Code::kInternal);
    store->Scan(range, call, [&out](Page&& page) { out = std::move(page); });
    return out;
  }
  // Page after page until the end; `between` runs after each.
  std::vector<std::pair<std::string, std::string>> ScanAll(
      Range range, const std::function<void()>& between = nullptr) {
    std::vector<std::pair<std::string, std::string>> out;
    for (;;) {
      Page page = Scan1(range);
      if (page.status.Is(Code::kEnd)) {
        EXPECT_TRUE(page.entries.empty());
        EXPECT_FALSE(page.more);
        return out;
      }
      EXPECT_TRUE(page.status.ok()) << page.status.ToString();
      EXPECT_FALSE(page.entries.empty());
      EXPECT_LE(page.entries.size(), range.Limit());
      for (Entry& entry : page.entries) {
        out.emplace_back(entry.key, entry.value ? std::string(entry.value->bytes()) : "");
      }
      if (!page.more || page.entries.empty()) return out;
      range.after = page.entries.back().key;
      range.has_after = true;
      if (between) between();
    }
  }
};

TEST_F(ScanTest, PendingEntriesReplaceAndDeletesHide) {
  remote->hold = true;
  for (const char* key : {"a", "b", "c", "d"}) remote->data[key] = {"old", 0};
  Open();
  Put("b", "new");
  Del("c");
  Put("cc", "added");
  const Page page = Scan1({});
  ASSERT_EQ(page.entries.size(), 4u);
  EXPECT_EQ(page.entries[0].key, "a");
  EXPECT_EQ(page.entries[0].flags, 0u);
  EXPECT_EQ(page.entries[1].key, "b");
  EXPECT_EQ(page.entries[1].value->bytes(), "new");
  EXPECT_EQ(page.entries[1].flags, kResultPending);
  EXPECT_EQ(page.entries[1].meta.total_size, 3u);
  EXPECT_EQ(page.entries[2].key, "cc");
  EXPECT_EQ(page.entries[3].key, "d");
  EXPECT_FALSE(page.more);
}

TEST_F(ScanTest, KeysOnlyHasNoValues) {
  remote->hold = true;
  Open();
  Put("k", "value");
  Range range;
  range.keys_only = true;
  const Page page = Scan1(range);
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_FALSE(page.entries[0].value);
  EXPECT_EQ(page.entries[0].meta.total_size, 5u);
}

TEST_F(ScanTest, PagesFullOfDeletedKeysDoNotEndTheScan) {
  remote->hold = true;
  for (int i = 0; i < 1000; ++i) remote->data["k" + std::to_string(1000 + i)] = {"v", 0};
  remote->data["z"] = {"v", 0};
  Open();
  for (int i = 0; i < 1000; ++i) Del("k" + std::to_string(1000 + i));
  Range range;
  range.page_size = 10;
  const Page page = Scan1(range);
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].key, "z");
  remote->data.erase("z");
  EXPECT_EQ(Scan1(range).status.code(), Code::kEnd);
}

TEST_F(ScanTest, IsPinnedBeforeTheInnerStoreIsAsked) {
  remote->data["k"] = {"old", 0};
  Open();
  Put("k", "new");
  Del("gone");
  remote->data["gone"] = {"old", 0};
  // Both are delivered, and leave the queue, while the inner store is asked for the page.
  remote->on_scan = [&] {
    remote->on_scan = nullptr;
    clock->RunAll();
    remote->data["k"] = {"old", 0};
    remote->data["gone"] = {"old", 0};
  };
  const Page page = Scan1({});
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].value->bytes(), "new");
}

TEST_F(ScanTest, FailsWhenTheInnerStoreDoes) {
  remote->hold = true;
  Open();
  Put("k", "v");
  remote->get_status = Failed(Code::kIo);
  EXPECT_EQ(Scan1({}).status.code(), Code::kIo);
  remote->own_caps &= ~static_cast<uint32_t>(kCapScan);
  remote->get_status = Status();
  Scan1({});
  EXPECT_EQ(remote->scans, 2) << "who cannot scan answers for himself";
}

TEST_F(ScanTest, HidesWhatHasExpired) {
  remote->hold = true;
  remote->data["k"] = {"old", 0};
  Open();
  Put("k", "v", Later(), clock->wall_ms + 10);
  EXPECT_EQ(Scan1({}).entries.size(), 1u);
  clock->Advance(10);
  EXPECT_EQ(Scan1({}).status.code(), Code::kEnd);
}

TEST_F(ScanTest, PagesEndAtTheirBytes) {
  remote->hold = true;
  Open();
  const std::string large(size_t{3} << 20, 'x');
  for (const char* key : {"a", "b", "c", "d"}) Put(key, large);
  const Page page = Scan1({});
  EXPECT_EQ(page.entries.size(), 3u);
  EXPECT_TRUE(page.more);
  EXPECT_EQ(ScanAll({}).size(), 4u);
}

// The reference: what is below with what is pending laid over it, cut by the range.
TEST_F(ScanTest, IsTheMergedViewForEveryRangeAndPageSize) {
  std::mt19937 random(5);
  const auto key_of = [&random] {
    std::string key;
    const size_t size = 1 + random() % 3;
    for (size_t i = 0; i < size; ++i) key += "ab\xff"[random() % 3];
    return key;
  };
  for (int round = 0; round < 60; ++round) {
    clock = std::make_shared<SimClock>();
    remote = MakeRef<Remote>(clock);
    remote->hold = true;
    Open();
    std::map<std::string, std::string> expected;
    for (int i = 0; i < 25; ++i) remote->data[key_of()] = {"below", 0};
    for (const auto& [key, stored] : remote->data) expected[key] = stored.value;
    for (int i = 0; i < 25; ++i) {
      const std::string key = key_of();
      if (random() % 2) {
        Put(key, std::to_string(i));
        expected[key] = std::to_string(i);
      } else {
        Del(key);
        expected.erase(key);
      }
      if (i == 10) clock->RunAll();
    }
    for (int i = 0; i < 40; ++i) {
      Range range;
      if (random() % 2) range.prefix = key_of();
      if (random() % 2) range.start = key_of();
      range.has_end = random() % 2;
      if (range.has_end) range.end = key_of();
      range.reverse = random() % 2;
      range.page_size = 1 + random() % 7;
      std::vector<std::pair<std::string, std::string>> wanted;
      for (const auto& entry : expected) {
        if (range.Contains(entry.first)) wanted.push_back(entry);
      }
      if (range.reverse) std::reverse(wanted.begin(), wanted.end());
      ASSERT_EQ(ScanAll(range), wanted) << "round " << round << " scan " << i;
    }
    Close();
  }
}

// Keys that do not change during a scan are seen once, whatever happens to the others.
TEST_F(ScanTest, SeesStableKeysOnceWhileOthersComeAndGo) {
  settings.concurrency = 2;
  Open();
  std::mt19937 random(6);
  std::vector<std::pair<std::string, std::string>> stable;
  for (int i = 0; i < 50; ++i) {
    const std::string key = "s" + std::to_string(100 + i);
    Put(key, "stable");
    stable.emplace_back(key, "stable");
  }
  for (int round = 0; round < 20; ++round) {
    Range range;
    range.page_size = 3;
    auto seen = ScanAll(range, [&] {
      for (int i = 0; i < 20; ++i) {
        const std::string key = "s" + std::to_string(100 + random() % 50) + "x";
        if (random() % 2)
          Put(key, "x");
        else
          Del(key);
      }
      clock->RunOne();
    });
    EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
    std::erase_if(seen, [](const auto& entry) { return entry.first.ends_with("x"); });
    ASSERT_EQ(seen, stable);
  }
}

TEST_F(ScanTest, TheOrderedViewIsDroppedAndMadeAnew) {
  remote->hold = true;
  settings.max_entries = 10'000;
  Open();
  Put("a", "1");
  EXPECT_EQ(ScanAll({}).size(), 1u);
  for (int i = 0; i < 5000; ++i) Put("k" + std::to_string(10'000 + i), "v");
  Del("k10001");
  EXPECT_EQ(ScanAll({}).size(), 5000u);
  Put("b", "1");
  EXPECT_EQ(ScanAll({}).size(), 5001u);
}

}  // namespace
}  // namespace chainstore::behind
