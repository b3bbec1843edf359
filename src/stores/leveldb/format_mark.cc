#include "stores/leveldb/format_mark.h"

#include <cerrno>

#include "base/file.h"
#include "stores/record.h"

namespace chainstore {
namespace {

constexpr char kMarkName[] = "format";
constexpr size_t kMaxMarkSize = 64;

const char* MarkText(bool raw) { return raw ? "raw\n" : "record\n"; }

// The format of the first entry; of an empty database the one that is asked for.
Status JudgeFormat(Database* database, bool* raw) {
  return database->Read("open", [&](leveldb::DB& db) -> Status {
    leveldb::ReadOptions options;
    options.verify_checksums = true;
    const std::unique_ptr<leveldb::Iterator> first(db.NewIterator(options));
    first->SeekToFirst();
    if (!first->status().ok()) return database->Fail("open", first->status());
    if (!first->Valid()) return Code::kOk;
    const Bytes key(first->key().data(), first->key().size());
    const Bytes stored(first->value().data(), first->value().size());
    RecordView view;
    std::string why;
    *raw = !DecodeRecord(stored, key, /*verify=*/true, &view, &why);
    return Code::kOk;
  });
}

}  // namespace

Status CheckFormat(const std::string& store, const OwnedDirectory& directory, Database* database,
                   bool raw) {
  const auto fail = [&](Code code, std::string what) {
    Failure failure(code, std::move(what));
    failure.Store(store).Op("open").Path(directory.StatePath(kMarkName));
    return failure;
  };
  std::string mark;
  const int error = ReadSmallFile(directory.state_fd(), kMarkName, kMaxMarkSize, &mark);
  if (error != 0 && error != ENOENT) {
    return fail(CodeOfErrno(error), "cannot read the mark of the format").Errno(error);
  }
  if (error == ENOENT) {
    bool is_raw = raw;
    if (Status status = JudgeFormat(database, &is_raw); !status.ok()) return status;
    mark = MarkText(is_raw);
  } else if (mark != MarkText(true) && mark != MarkText(false)) {
    return fail(Code::kCorrupt, "the mark of the format is damaged")
        .Hint("it reads record or raw; without it the first entry tells");
  }
  if (mark != MarkText(raw)) {
    const std::string is = raw ? "record" : "raw";
    return fail(Code::kInvalid, "the database is of format=" + is)
        .Hint("open it with format=" + is);
  }
  if (error == 0) return Code::kOk;
  const int failed = ReplaceFile(directory.state_fd(), kMarkName, MarkText(raw));
  if (failed == 0) return Code::kOk;
  return fail(CodeOfErrno(failed), "cannot write the mark of the format").Errno(failed);
}

}  // namespace chainstore
