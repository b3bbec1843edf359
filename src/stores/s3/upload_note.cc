#include "stores/s3/upload_note.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <random>

#include "stores/s3/digest.h"
#include "stores/s3/uri.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxNoteBytes = size_t{16} << 10;
constexpr Bytes kSuffix = ".upload";

std::string NewName() {
  std::random_device random;
  const uint64_t number = uint64_t{random()} << 32 | random();
  return Hex(Bytes(reinterpret_cast<const char*>(&number), sizeof(number)));
}

bool TakeLine(Bytes* text, std::string* decoded) {
  const size_t end = text->find('\n');
  if (end == Bytes::npos || !DecodeUrl(text->substr(0, end), decoded)) return false;
  text->remove_prefix(end + 1);
  return !decoded->empty();
}

int SyncFolder(const std::string& directory) {
  const FileDescriptor folder(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return folder && fsync(folder.get()) == 0 ? 0 : errno;
}

Failure Cannot(const std::string& path, int error) {
  return Failure(error == ENOSPC || error == EDQUOT ? Code::kNoSpace : Code::kIo,
                 "the note of an upload cannot be written: " + path + ": " + strerror(error))
      .Hint("see the option upload_notes");
}

}  // namespace

std::string NoteText(const NotedUpload& upload) {
  return EncodeQueryPart(upload.bucket) + "\n" + EncodeQueryPart(upload.object) + "\n" +
         EncodeQueryPart(upload.id) + "\n";
}

bool ParseNote(Bytes text, NotedUpload* upload) {
  return TakeLine(&text, &upload->bucket) && TakeLine(&text, &upload->object) &&
         TakeLine(&text, &upload->id) && text.empty();
}

Result<std::unique_ptr<UploadNote>> UploadNote::Write(const std::string& directory,
                                                      const NotedUpload& upload) {
  // Locked before it gets the name by which it is found.
  const std::string path = directory + "/" + NewName() + std::string(kSuffix);
  const std::string draft = path + ".new";
  FileDescriptor file(open(draft.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
  if (!file) return Cannot(draft, errno);
  int error = flock(file.get(), LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
  if (error == 0) error = WriteAll(file.get(), NoteText(upload));
  if (error == 0 && fsync(file.get()) != 0) error = errno;
  if (error == 0 && rename(draft.c_str(), path.c_str()) != 0) error = errno;
  if (error == 0) error = SyncFolder(directory);
  if (error != 0) {
    unlink(draft.c_str());
    unlink(path.c_str());
    return Cannot(path, error);
  }
  return std::unique_ptr<UploadNote>(new UploadNote(upload, path, std::move(file)));
}

std::vector<std::unique_ptr<UploadNote>> UploadNote::TakeLeft(const std::string& directory,
                                                              const std::string& bucket) {
  std::vector<std::unique_ptr<UploadNote>> left;
  const FileDescriptor folder(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder) return left;
  ForEachEntry(folder.get(), [&](const char* name, unsigned char) {
    if (!Bytes(name).ends_with(kSuffix)) return true;
    FileDescriptor file(openat(folder.get(), name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file || flock(file.get(), LOCK_EX | LOCK_NB) != 0) return true;
    // Whoever held it until just now may have removed it.
    struct stat opened;
    if (fstat(file.get(), &opened) != 0 || opened.st_nlink == 0) return true;
    std::string text;
    NotedUpload upload;
    if (ReadSmallFile(folder.get(), name, kMaxNoteBytes, &text) != 0) return true;
    if (!ParseNote(text, &upload) || upload.bucket != bucket) return true;
    left.push_back(std::unique_ptr<UploadNote>(
        new UploadNote(std::move(upload), directory + "/" + name, std::move(file))));
    return true;
  });
  return left;
}

void UploadNote::Forget() noexcept {
  unlink(path_.c_str());
  file_.Close();
}

}  // namespace chainstore::s3
