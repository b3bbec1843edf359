#include <map>
#include <random>

#include "stores/filesystem/filesystem_fixture.h"

namespace chainstore {
namespace {

class FilesystemScanTest : public FilesystemTest {};

TEST_F(FilesystemScanTest, ListsKeysInTheOrderOfTheirBytes) {
  auto store = Open();
  // A folder stands between its neighbours' names, and its own file before both.
  for (const char* key : {"a", "a/b", "a-b", "a0", "a/", "a!", "b/c/d", "b", "A"}) {
    ASSERT_EQ(Put(*store, key, "v"), Code::kOk);
  }
  Range range;
  range.keys_only = true;
  EXPECT_EQ(ScanText(*store, range), "A a a! a-b a/ a/b a0 b b/c/d");
  range.reverse = true;
  EXPECT_EQ(ScanText(*store, range), "b/c/d b a0 a/b a/ a-b a! a A");
}

TEST_F(FilesystemScanTest, TellsWhatIsKnownOfAnEntryWithoutReadingIt) {
  auto store = Open();
  const Receipt put = PutInto(*store, "k", "value", 0, Wait::kHere, now_ms() + 1000);
  Range range;
  range.keys_only = true;
  const Page page = ScanPage(*store, range);
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_FALSE(page.entries[0].value);
  EXPECT_EQ(page.entries[0].meta.total_size, 5u);
  EXPECT_EQ(page.entries[0].meta.expires_at_ms, now_ms() + 1000);
  EXPECT_EQ(page.entries[0].meta.version, put.meta.version);
  EXPECT_FALSE(page.more);
}

TEST_F(FilesystemScanTest, SaysTheEndOfNothing) {
  auto store = Open();
  EXPECT_TRUE(ScanPage(*store, Range()).status.Is(Code::kEnd));
  Range range;
  range.prefix = std::string(2000, 'x');
  EXPECT_TRUE(ScanPage(*store, range).status.Is(Code::kEnd));
  range.prefix = std::string(1023, 'x') + "/";
  EXPECT_TRUE(ScanPage(*store, range).status.Is(Code::kEnd));
}

TEST_F(FilesystemScanTest, PassesByNamesThatBelongToNoKey) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "good", "v"), Code::kOk);
  for (const char* foreign : {"%2e", "~backup", "%zz", "a%", "%61", "half%~", "%%", "\xff"}) {
    WriteTestFile(*this / foreign, "foreign");
  }
  ASSERT_EQ(mkdir((*this / "lost+found").c_str(), 0), 0);
  ASSERT_EQ(mkdir((*this / "empty").c_str(), 0777), 0);
  ASSERT_EQ(mkdir((*this / "~folder").c_str(), 0777), 0);
  WriteTestFile(*this / "~folder/file", "foreign");
  EXPECT_EQ(ScanText(*store, Range()), "good=v");
}

TEST_F(FilesystemScanTest, EndsAPageEarlyWhenItsValuesAreLarge) {
  auto store = Open();
  for (const char* key : {"a", "b", "c"}) {
    ASSERT_EQ(Put(*store, key, std::string(Range::kMaxPageBytes / 2 + 1, 'x')), Code::kOk);
  }
  const Page page = ScanPage(*store, Range());
  EXPECT_EQ(page.entries.size(), 2u);
  EXPECT_TRUE(page.more);
}

TEST_F(FilesystemScanTest, StopsWhenItsTimeIsUp) {
  auto store = Open();
  ASSERT_EQ(Put(*store, "a", "v"), Code::kOk);
  Call late;
  late.deadline_ns = 1;
  Page page;
  Await<Page>(Call(), &page, [&](Done<Page> done) { store->Scan(Range(), late, std::move(done)); });
  EXPECT_TRUE(page.status.Is(Code::kTimeout));
}

// Every range over hostile keys gives what a sorted map gives, whatever the size of a page.
TEST_F(FilesystemScanTest, AgreesWithASortedMap) {
  const TemporaryDirectory temporary(TemporaryDirectory::Fast());
  Result<Ref<Store>> opened = TryOpen(temporary / "root", {{"durability", "cache"}});
  ASSERT_TRUE(opened.ok());
  Store& store = **opened;
  std::mt19937 random(3);
  const std::string pieces[] = {"a",
                                "b",
                                "/",
                                "/",
                                "-",
                                "~",
                                ".",
                                "%",
                                "\xff",
                                std::string("\0", 1),
                                std::string(252, 'n'),
                                std::string(130, '\xee')};
  const auto make_key = [&](size_t parts) {
    std::string key;
    for (size_t count = 1 + random() % parts; count > 0; --count) {
      key += pieces[random() % std::size(pieces)];
    }
    key.resize(std::min(key.size(), kMaxKeySize));
    return key;
  };
  std::map<std::string, std::string> model;
  for (int number = 0; number < 200; ++number) {
    const std::string key = make_key(6);
    model[key] = std::to_string(number);
    ASSERT_EQ(Put(store, key, model[key]), Code::kOk);
  }
  for (int round = 0; round < 150; ++round) {
    Range range;
    if (random() % 2) range.prefix = make_key(2);
    if (random() % 3 == 0) range.start = make_key(3);
    if (random() % 3 == 0) {
      range.end = make_key(3);
      range.has_end = true;
    }
    range.reverse = random() % 2;
    range.page_size = 1 + random() % (random() % 4 == 0 ? 5 : 200);
    std::string expected;
    const auto add = [&](const auto& entry) {
      if (!range.Contains(entry.first)) return;
      expected += (expected.empty() ? "" : " ") + entry.first + "=" + entry.second;
    };
    if (range.reverse) {
      std::for_each(model.rbegin(), model.rend(), add);
    } else {
      std::for_each(model.begin(), model.end(), add);
    }
    ASSERT_EQ(ScanText(store, range), expected) << "round " << round;
  }
  EXPECT_TRUE(CloseStore(store).ok());
}

}  // namespace
}  // namespace chainstore
