// format=raw, and databases of other programs.
#include <map>

#include "stores/lmdb/lmdb_test_support.h"

namespace chainstore {
namespace {

using Content = std::map<std::string, std::string>;

TEST(LmdbRawTest, ReadsAndWritesTheUnnamedDatabaseOfAnotherProgram) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put(nullptr, "theirs", "plain value");
  }
  {
    OpenedLmdb store(root / "db", nullptr, {{"format", "raw"}});
    const Answer answer = GetFrom(*store, "theirs");
    EXPECT_EQ(TextOf(answer), "plain value");
    EXPECT_EQ(answer.meta.version, 0u);
    EXPECT_EQ(answer.meta.expires_at_ms, 0);
    EXPECT_EQ(Put(*store, "ours", "too"), Code::kOk);
    EXPECT_EQ(Put(*store, "empty", ""), Code::kOk);
    EXPECT_EQ(GetText(*store, "empty"), "");
    EXPECT_EQ(ScanText(*store, Range()), "empty= ours=too theirs=plain value");
    EXPECT_EQ(Del(*store, "empty"), Code::kOk);
  }
  PlainLmdb plain(root / "db");
  EXPECT_EQ(plain.All(nullptr), (Content{{"ours", "too"}, {"theirs", "plain value"}}));
}

TEST(LmdbRawTest, OpensANamedDatabase) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put("people", "ada", "1815");
  }
  OpenedLmdb store(root / "db", "people", {{"format", "raw"}});
  EXPECT_EQ(ScanText(*store, Range()), "ada=1815");
}

TEST(LmdbRawTest, RefusesWhatAPlainValueCannotKeep) {
  const TemporaryDirectory root;
  OpenedLmdb store(root / "db", nullptr, {{"format", "raw"}});
  ExpectFailed(PutInto(*store, "k", "v", 0, Wait::kHere, 12345).status, Code::kUnsupported,
               "time to live");
  ExpectFailed(PutInto(*store, std::string(512, 'k'), "v").status, Code::kTooLarge, "511");
  EXPECT_EQ(Put(*store, std::string(511, 'k'), "v"), Code::kOk);
  EXPECT_EQ(Put(*store, std::string(432, 'k'), "v"), Code::kOk);
  EXPECT_EQ(GetText(*store, std::string(511, 'k')), "v");
  EXPECT_EQ(GetText(*store, std::string(512, 'k')), "(CS_NOT_FOUND)");
  EXPECT_EQ(Del(*store, std::string(512, 'k')), Code::kOk);
  Range range;
  range.reverse = true;
  range.end = std::string(600, 'k');
  range.has_end = true;
  EXPECT_EQ(ScanPage(*store, range).entries.size(), 2u);
  range.reverse = false;
  range.start = std::string(432, 'k');
  EXPECT_EQ(ScanPage(*store, range).entries.size(), 2u);
}

// Named databases are entries of the unnamed one, for LMDB; nobody put them there.
TEST(LmdbRawTest, KeepsNamedDatabasesOutOfTheUnnamedOne) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  const std::string same_size(48, 's');
  {
    PlainLmdb plain(root / "db");
    plain.Put("named", "k", "v");
    plain.Put(nullptr, "x", same_size);
    plain.Put(nullptr, std::string("n\0l", 3), same_size);
  }
  OpenedLmdb store(root / "db", nullptr, {{"format", "raw"}});
  EXPECT_EQ(GetText(*store, "named"), "(CS_NOT_FOUND)");
  EXPECT_EQ(GetText(*store, "x"), same_size);
  EXPECT_EQ(ScanPage(*store, Range()).entries.size(), 2u);
  ExpectFailed(PutInto(*store, "named", "v").status, Code::kInvalid, "name of a database");
  EXPECT_EQ(Del(*store, "named"), Code::kInvalid);
  {
    // Also while it is open beside, by a handle that its look-up must not close.
    OpenedLmdb named(root / "db", "named", {{"format", "raw"}});
    EXPECT_EQ(GetText(*store, "named"), "(CS_NOT_FOUND)");
    EXPECT_EQ(GetText(*named, "k"), "v");
    EXPECT_EQ(Put(*named, "k", "w"), Code::kOk);
  }
  EXPECT_EQ(Put(*store, "x", "y"), Code::kOk);
}

TEST(LmdbRawTest, RefusesDatabasesWhoseProgramReliesOnAnotherLayout) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put("dups", "k", "v", MDB_DUPSORT);
    plain.Put("numbers", std::string(8, '\1'), "v", MDB_INTEGERKEY);
    plain.Put("reversed", "k", "v", MDB_REVERSEKEY);
    plain.Put(nullptr, "entry", "v");
  }
  ExpectRefused(TryOpenLmdb(root / "db", "dups", {{"format", "raw"}}), Code::kUnsupported,
                "MDB_DUPSORT");
  ExpectRefused(TryOpenLmdb(root / "db", "numbers", {{"format", "raw"}}), Code::kUnsupported,
                "MDB_INTEGERKEY");
  ExpectRefused(TryOpenLmdb(root / "db", "reversed"), Code::kUnsupported, "order");
  ExpectRefused(TryOpenLmdb(root / "db", "entry"), Code::kUnsupported, "bucket");
  OpenedLmdb store(root / "db");  // what was refused has let go of everything
  EXPECT_EQ(Put(*store, "k", "v"), Code::kOk);
}

TEST(LmdbRawTest, RecordsAndPlainValuesAreNotTakenForOneAnother) {
  const TemporaryDirectory root;
  ASSERT_EQ(mkdir((root / "db").c_str(), 0777), 0);
  {
    PlainLmdb plain(root / "db");
    plain.Put("theirs", "k", "a plain value of another program");
    plain.Put("theirs", "short", "v");
  }
  OpenedLmdb store(root / "db", "theirs");
  ExpectFailed(GetFrom(*store, "k").status, Code::kCorrupt, "format=raw");
  EXPECT_EQ(GetText(*store, "short"), "(CS_CORRUPT)");
}

}  // namespace
}  // namespace chainstore
