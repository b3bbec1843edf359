#include "chain/merge.h"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "chain/chain_fixture.h"

namespace chainstore {
namespace {

TEST_F(ChainTest, ScansOneOrderedViewWithoutDuplicates) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  for (const char* key : {"a", "c", "e"}) Put(*chain, key, key);
  top->Plant("b", "only above");
  low->Plant("d", "only below");
  low->Plant("c", "newer below");
  Range range;
  range.page_size = 2;
  EXPECT_EQ(ScanText(*chain, range), "a=a b=only above c=newer below d=only below e=e");
  range.reverse = true;
  EXPECT_EQ(ScanText(*chain, range), "e=e d=only below c=newer below b=only above a=a");
  range.keys_only = true;
  range.reverse = false;
  range.start = "b";
  range.end = "e";
  range.has_end = true;
  EXPECT_EQ(ScanText(*chain, range), "b c d");
}

TEST_F(ChainTest, AScanFailsIfTheLowestStoreDoesNotAnswerAndPassesTheOthersBy) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  Put(*chain, "k", "v");
  top->Fail(Op::kScan, Code::kIo);
  EXPECT_EQ(ScanText(*chain, {}), "k=v");
  low->Fail(Op::kScan, Code::kIo);
  EXPECT_EQ(ScanText(*chain, {}), "(CS_IO)");
  auto blind = ScriptedStore::New("blind", kCapTtl);
  auto other = Make({ScriptedStore::New("near"), blind});
  EXPECT_EQ(ScanPage(*other, {}).status.ToString(),
            "CS_UNSUPPORTED: chain: scan: blind, the lowest store, cannot scan");
}

TEST_F(ChainTest, AScanHidesWhatABarredStoreStillHolds) {
  auto top = ScriptedStore::New("top");
  auto low = ScriptedStore::New("low");
  auto chain = Make({top, low});
  for (const char* key : {"a", "b", "c"}) Put(*chain, key, "v");
  top->Fail(Op::kDel, Code::kIo);
  EXPECT_EQ(Del(*chain, "b"), Code::kOk);
  ASSERT_TRUE(top->Has("b"));
  EXPECT_EQ(ScanText(*chain, {}), "a=v c=v");
  EXPECT_EQ(Del(*chain, "a"), Code::kOk);
  EXPECT_EQ(Del(*chain, "c"), Code::kOk);
  Range range;
  range.page_size = 1;
  EXPECT_EQ(ScanText(*chain, range), "") << "pages of hidden keys only";
}

// Against a map: random stores, ranges, directions and page sizes.
TEST(MergeTest, IsTheUnionOfItsPagesInOrder) {
  std::minstd_rand random(1);
  for (int round = 0; round < 500; ++round) {
    auto top = ScriptedStore::New("top");
    auto low = ScriptedStore::New("low");
    std::map<std::string, std::string> all;
    for (int i = 0; i < 20; ++i) {
      const std::string key(1 + random() % 2, static_cast<char>('a' + random() % 6));
      if (random() % 2) top->Plant(key, "top"), all.emplace(key, "top");
      if (random() % 2) low->Plant(key, "low"), all[key] = "low";
    }
    Range range;
    range.reverse = random() % 2;
    range.page_size = 1 + random() % 5;
    range.prefix = random() % 3 ? "" : "b";
    range.start = random() % 3 ? "" : "bb";
    if (random() % 3 == 0) range.end = "e", range.has_end = true;
    std::string expected, merged;
    const auto add = [&](const std::string& key, std::string* text) {
      if (range.Contains(key)) *text += key + " ";
    };
    if (range.reverse) {
      for (auto at = all.rbegin(); at != all.rend(); ++at) add(at->first, &expected);
    } else {
      for (const auto& [key, value] : all) add(key, &expected);
    }
    Range rest = range;
    for (;;) {
      std::vector<Page> pages = {ScanPage(*top, rest), ScanPage(*low, rest)};
      Merged page = MergePages(rest, std::move(pages));
      for (const MergedKey& key : page.keys) {
        merged += key.entry.key + " ";
        EXPECT_EQ(key.is_candidate, !low->Has(key.entry.key));
      }
      if (!page.more) break;
      rest.after = page.after;
      rest.has_after = true;
    }
    ASSERT_EQ(merged, expected) << "round " << round;
  }
}

}  // namespace
}  // namespace chainstore
