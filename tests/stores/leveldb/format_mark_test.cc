#include "stores/leveldb/format_mark.h"

#include <gtest/gtest.h>

#include "stores/record.h"
#include "support/temporary_directory.h"

namespace chainstore {
namespace {

class FormatMarkTest : public ::testing::Test {
 protected:
  void SetUp() override {
    OwnedDirectory::Request request;
    request.path = folder_ / "db";
    request.store = "leveldb:db";
    request.engine = "leveldb";
    auto owned = OwnedDirectory::Open(request);
    ASSERT_TRUE(owned.ok()) << owned.status().ToString();
    directory_ = std::move(*owned);
    DatabaseSettings settings;
    settings.store = "leveldb:db";
    settings.directory = directory_->path();
    settings.scratch = directory_->StatePath("probe");
    auto database = Database::Open(std::move(settings), runtime_.get());
    ASSERT_TRUE(database.ok()) << database.status().ToString();
    database_ = std::move(*database);
  }
  void Write(const std::string& key, const std::string& stored) {
    leveldb::WriteBatch batch;
    batch.Put(key, stored);
    ASSERT_TRUE(database_->Write("put", &batch, false).ok());
  }
  void WriteRecord(const std::string& key, const std::string& value) {
    std::string record;
    EncodeRecord(key, value, Meta{}, false, &record);
    Write(key, record);
  }
  Status Check(bool raw) { return CheckFormat("leveldb:db", *directory_, database_.get(), raw); }

  const TemporaryDirectory folder_;
  const Ref<Runtime> runtime_ = MakeRef<RuntimeSlot>(RuntimeSettings{})->Acquire();
  std::unique_ptr<OwnedDirectory> directory_;
  std::unique_ptr<Database> database_;
};

TEST_F(FormatMarkTest, AnEmptyDatabaseTakesTheFormatThatItIsOpenedWithForEver) {
  EXPECT_TRUE(Check(true).ok());
  EXPECT_TRUE(Check(true).ok());
  const Status other = Check(false);
  EXPECT_EQ(other.code(), Code::kInvalid);
  EXPECT_NE(other.ToString().find("open it with format=raw"), std::string::npos)
      << other.ToString();
}

TEST_F(FormatMarkTest, JudgesADatabaseWithoutAMarkByItsFirstEntry) {
  Write("a", "another program's");
  EXPECT_EQ(Check(false).code(), Code::kInvalid);
  EXPECT_TRUE(Check(true).ok()) << "and the refusal has left no mark";
}

TEST_F(FormatMarkTest, KnowsItsOwnRecordsWithoutAMark) {
  WriteRecord("a", "ours");
  EXPECT_EQ(Check(true).code(), Code::kInvalid);
  EXPECT_TRUE(Check(false).ok());
}

TEST_F(FormatMarkTest, ADamagedMarkIsSaidToBeOne) {
  WriteTestFile(directory_->StatePath("format"), "rec");
  EXPECT_EQ(Check(false).code(), Code::kCorrupt);
}

}  // namespace
}  // namespace chainstore
