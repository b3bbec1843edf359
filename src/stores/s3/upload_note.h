// UploadNote: a file that says that an upload in parts is under way, so that one which a crash
// leaves on the server (where its parts cost money, and nobody sees them) can be aborted later. Its
// writer holds a lock on it: a note that nobody holds is what a crash has left.
//
// Three lines: the bucket with its endpoint, the object's key, the upload's id, percent-encoded.
// On disk before the first part is sent, so that it outlives a power cut too. That it is gone again
// is not: what comes back names an upload that is no longer there, and is forgotten then.
// Thread safety: none; the functions may be called by any thread. Write waits for the disk.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"

namespace chainstore::s3 {

struct NotedUpload {
  std::string bucket;  // "http://host:9000/bucket"
  std::string object;
  std::string id;
  bool operator==(const NotedUpload&) const = default;
};

std::string NoteText(const NotedUpload& upload);
// False: no note, or one that was cut.
bool ParseNote(Bytes text, NotedUpload* upload);

class UploadNote {
 public:
  // In a directory that is there.
  static Result<std::unique_ptr<UploadNote>> Write(const std::string& directory,
                                                   const NotedUpload& upload);
  // The notes about this bucket that the dead have left: they are held by the caller now.
  static std::vector<std::unique_ptr<UploadNote>> TakeLeft(const std::string& directory,
                                                           const std::string& bucket);

  const NotedUpload& upload() const noexcept { return upload_; }
  // The upload has ended: there is nothing to abort. Without it the note stays for the next one.
  void Forget() noexcept;

 private:
  UploadNote(NotedUpload upload, std::string path, FileDescriptor file)
      : upload_(std::move(upload)), path_(std::move(path)), file_(std::move(file)) {}

  const NotedUpload upload_;
  const std::string path_;
  FileDescriptor file_;  // locked while it is open
};

}  // namespace chainstore::s3
