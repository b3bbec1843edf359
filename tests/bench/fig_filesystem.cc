// Figure 14: the filesystem store against the system calls that the same promise takes: a get
// against open, pread and close; an atomic put against an unnamed file that is linked in, without
// fsync (durability=cache) or with fsync of file and folder (durability=full).
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "figures.h"
#include "product.h"
#include "workload.h"

namespace bench {
namespace {

constexpr size_t kValueSize = 1024;

void Check(bool done, const char* what) {
  if (!done) Die(std::string(what) + " failed in " + settings().directory);
}

// Files used bare: one folder, opened once.
class RawFolder {
 public:
  explicit RawFolder(const std::string& path)
      : path_(path), folder_(open(path.c_str(), O_RDONLY | O_DIRECTORY)) {
    Check(folder_ >= 0, "open");
  }
  ~RawFolder() { close(folder_); }
  void Put(const std::string& name, std::string_view value, bool sync) {
    const int file = openat(folder_, ".", O_TMPFILE | O_WRONLY, 0600);
    Check(file >= 0, "O_TMPFILE");
    Check(write(file, value.data(), value.size()) == static_cast<ssize_t>(value.size()), "write");
    if (sync) Check(fsync(file) == 0, "fsync");
    const std::string opened = "/proc/self/fd/" + std::to_string(file);
    Check(linkat(AT_FDCWD, opened.c_str(), folder_, name.c_str(), AT_SYMLINK_FOLLOW) == 0,
          "linkat");
    close(file);
    if (sync) Check(fsync(folder_) == 0, "fsync");
  }
  void Get(const char* name) {
    char bytes[kValueSize];
    const int file = openat(folder_, name, O_RDONLY | O_CLOEXEC);
    Check(file >= 0, "open");
    Check(pread(file, bytes, sizeof bytes, 0) == static_cast<ssize_t>(sizeof bytes), "pread");
    Keep(bytes[0]);
    close(file);
  }
  void Remove(const std::string& name) { unlinkat(folder_, name.c_str(), 0); }

 private:
  const std::string path_;
  const int folder_;
};

void Gets() {
  const Folder ours_at("files-ours"), raw_at("files-raw");
  Handle ours = OpenFilesystem(ours_at.path(), {{"durability", "cache"}});
  if (!ours) return NotInThisBuild("14", "file get");
  RawFolder raw(raw_at.path());
  constexpr uint64_t kKeys = 1000;
  const std::string value(kValueSize, 'v');
  for (uint64_t number = 0; number < kKeys; ++number) {
    PutOrDie(ours.get(), KeyOf(number), value);
    raw.Put(KeyOf(number), value, false);
  }
  const uint64_t gets = settings().quick ? 5'000 : 20'000;
  const KeyStream stream = KeyStream::Zipf(kKeys, gets, 1);
  std::vector<std::string> names;
  for (size_t at = 0; at < gets; ++at) names.emplace_back(stream.view(at));
  Compare(
      "14", "file get V1k", AtLeast(0.9, 0.95), "open+pread+close",
      [&] {
        return Timed(Time::kWall, 1, gets, [&](int) {
          for (size_t at = 0; at < gets; ++at) GetHit(ours.get(), stream.at(at), kKeySize);
        });
      },
      [&] {
        return Timed(Time::kWall, 1, gets, [&](int) {
          for (size_t at = 0; at < gets; ++at) raw.Get(names[at].c_str());
        });
      });
}

void Puts(bool sync) {
  const Folder ours_at("files-ours"), raw_at("files-raw");
  const std::string durability = sync ? "full" : "cache";
  const std::string what = "file put V1k durability=" + durability;
  Handle ours = OpenFilesystem(ours_at.path(), {{"durability", durability}});
  if (!ours) return NotInThisBuild("14", what);
  RawFolder raw(raw_at.path());
  const std::string value(kValueSize, 'v');
  const uint64_t puts = sync ? 200 : settings().quick ? 1'000 : 4'000;
  const auto clear = [&](const auto& remove) {
    for (uint64_t number = 0; number < puts; ++number) remove(KeyOf(number));
  };
  Compare(
      "14", what, AtLeast(0.9, 0.95), sync ? "O_TMPFILE+linkat with fsync" : "O_TMPFILE+linkat",
      [&] {
        clear([&](const std::string& key) {
          cs_del_sync(ours.get(), key.data(), key.size(), nullptr, nullptr);
        });
        return Timed(Time::kWall, 1, puts, [&](int) {
          for (uint64_t number = 0; number < puts; ++number) {
            PutOrDie(ours.get(), KeyOf(number), value);
          }
        });
      },
      [&] {
        clear([&](const std::string& key) { raw.Remove(key); });
        return Timed(Time::kWall, 1, puts, [&](int) {
          for (uint64_t number = 0; number < puts; ++number) {
            raw.Put(KeyOf(number), value, sync);
          }
        });
      });
}

}  // namespace

void FilesystemFigures() {
  if (!Wanted(14)) return;
  Gets();
  Puts(false);
  Puts(true);
}

}  // namespace bench
