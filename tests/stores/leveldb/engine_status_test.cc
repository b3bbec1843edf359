#include "stores/leveldb/engine_status.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>

namespace chainstore {
namespace {

Status Mapped(const leveldb::Status& status) {
  return EngineFailure("leveldb:/d", "put", "/d", status);
}

TEST(EngineStatusTest, RecoversTheErrnoOfAnIoError) {
  for (const int error : {ENOSPC, EDQUOT, EACCES, EROFS, EIO, EMFILE, EAGAIN, EFBIG}) {
    EXPECT_EQ(EngineErrno(leveldb::Status::IOError("/d/000003.log", strerror(error))), error);
  }
  EXPECT_EQ(EngineErrno(leveldb::Status::IOError("lock /d/LOCK", "already held by process")), 0);
  EXPECT_EQ(EngineErrno(leveldb::Status::Corruption("x", strerror(ENOSPC))), 0);
  EXPECT_EQ(EngineErrno(leveldb::Status::OK()), 0);
}

TEST(EngineStatusTest, TellsWhatAFailureMeansToACaller) {
  const auto io = [](int error) { return leveldb::Status::IOError("/d/1.log", strerror(error)); };
  EXPECT_EQ(Mapped(io(ENOSPC)).code(), Code::kNoSpace);
  EXPECT_EQ(Mapped(io(EDQUOT)).code(), Code::kNoSpace);
  EXPECT_EQ(Mapped(io(EACCES)).code(), Code::kDenied);
  EXPECT_EQ(Mapped(io(EROFS)).code(), Code::kDenied);
  EXPECT_EQ(Mapped(io(EIO)).code(), Code::kIo);
  EXPECT_EQ(Mapped(leveldb::Status::IOError("odd")).code(), Code::kIo);
  EXPECT_EQ(Mapped(leveldb::Status::Corruption("bad block")).code(), Code::kCorrupt);
  EXPECT_EQ(Mapped(leveldb::Status::NotFound("/d/5.ldb")).code(), Code::kCorrupt);
  EXPECT_EQ(Mapped(leveldb::Status::NotSupported("x")).code(), Code::kUnsupported);
  EXPECT_EQ(Mapped(leveldb::Status::InvalidArgument("x")).code(), Code::kInvalid);
}

TEST(EngineStatusTest, NamesStoreOperationCauseAndWayOut) {
  const Status full = Mapped(leveldb::Status::IOError("/d/1.log", strerror(ENOSPC)));
  const std::string& message = full.error()->message();
  EXPECT_TRUE(message.starts_with("leveldb:/d: put: ")) << message;
  EXPECT_NE(message.find(strerror(ENOSPC)), std::string::npos) << message;
  EXPECT_NE(message.find("make room"), std::string::npos) << message;
  EXPECT_EQ(*full.error()->FindDetail("errno"), std::to_string(ENOSPC));
  const Status corrupt = Mapped(leveldb::Status::Corruption("bad block"));
  EXPECT_NE(corrupt.error()->message().find("RepairDB"), std::string::npos);
}

TEST(EngineStatusTest, KeepsAKeyOutOfTheMessage) {
  const Status status = Mapped(leveldb::Status::Corruption("corrupted key for ", "secret-key"));
  EXPECT_EQ(status.error()->message().find("secret"), std::string::npos)
      << status.error()->message();
}

}  // namespace
}  // namespace chainstore
