#include "stores/filesystem/tree_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace chainstore {
namespace {

constexpr Bytes kReserved = ".chainstore";

// Whether every key with the prefix `p` is smaller than `key`.
bool AllBelow(Bytes p, Bytes key) noexcept { return p < key && !key.starts_with(p); }

}  // namespace

bool TreeScan::After::operator()(const Item& a, const Item& b) const noexcept {
  if (!reverse) {
    const int order = a.key.compare(b.key);
    return order != 0 ? order > 0 : a.folder && !b.folder;
  }
  // A folder stands where its greatest possible key does.
  if (a.folder && b.folder) {
    return a.key != b.key && (AllBelow(a.key, b.key) || a.key.starts_with(b.key));
  }
  if (a.folder) return AllBelow(a.key, b.key);
  if (b.folder) return !AllBelow(b.key, a.key);
  return a.key < b.key;
}

TreeScan::TreeScan(const FileTree& tree, const Range& range)
    : tree_(tree),
      range_(range),
      first_(range.First()),
      beyond_(range.Beyond()),
      after_{range.reverse} {
  // A prefix names the folder to begin in.
  const size_t slash = range.prefix.rfind('/');
  if (range.prefix.size() > kMaxKeySize) return;
  if (slash == std::string::npos || slash + 2 > kMaxKeySize) {
    heap_.push_back({"", "", true});
    return;
  }
  std::string prefix = range.prefix.substr(0, slash + 1);
  const KeyPath below(prefix + "x");
  heap_.push_back({std::move(prefix), std::string(below.folder()), true});
}

bool TreeScan::MayHold(Bytes prefix) const noexcept {
  if (prefix.size() > kMaxKeySize) return false;
  if (!prefix.starts_with(range_.prefix) && !Bytes(range_.prefix).starts_with(prefix)) return false;
  return !AllBelow(prefix, first_) && (beyond_.empty() || prefix < beyond_);
}

void TreeScan::Push(Item item) {
  heap_.push_back(std::move(item));
  std::push_heap(heap_.begin(), heap_.end(), after_);
}

bool TreeScan::Next(std::string* key, int* error, std::string* path) {
  *error = 0;
  while (!heap_.empty()) {
    std::pop_heap(heap_.begin(), heap_.end(), after_);
    Item item = std::move(heap_.back());
    heap_.pop_back();
    if (!item.folder) {
      if (!IsPathOf(item.path, item.key)) continue;
      *key = std::move(item.key);
      return true;
    }
    *error = List(item);
    if (*error != 0) {
      *path = item.path;
      return false;
    }
  }
  return false;
}

int TreeScan::List(const Item& folder) {
  FileDescriptor descriptor;
  const int error = tree_.OpenFolder(folder.path, &descriptor);
  // Gone meanwhile, or replaced by a link that is not followed: there is nothing of ours in it.
  if (error == ENOENT || error == ELOOP) return 0;
  // What mkfs leaves in the root of a file system is no folder of ours.
  if (error == EACCES && folder.path == "lost+found") return 0;
  if (error != 0) return error;
  return ForEachEntry(descriptor.get(), [&](const char* name, unsigned char type) {
    AddName(folder, descriptor.get(), name, type);
    return true;
  });
}

void TreeScan::AddName(const Item& folder, int descriptor, const char* name, unsigned char type) {
  if (folder.path.empty() && name == kReserved) return;
  Item item{folder.key, "", false};
  const NameKind kind = DecodeName(name, &item.key);
  if (kind == NameKind::kForeign || kind == NameKind::kOwn) return;
  const bool wanted = range_.Contains(item.key) && !item.key.empty();
  if (type == DT_UNKNOWN) {
    struct stat info;
    if (fstatat(descriptor, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return;
    type = S_ISDIR(info.st_mode) ? DT_DIR : S_ISREG(info.st_mode) ? DT_REG : DT_UNKNOWN;
  }
  if (type != DT_DIR && (type != DT_REG || !wanted || kind == NameKind::kPiece)) return;
  item.path.reserve(folder.path.size() + 1 + strlen(name));
  item.path = folder.path;
  if (!item.path.empty()) item.path += '/';
  item.path += name;
  if (type == DT_REG) return Push(std::move(item));
  if (kind == NameKind::kPart) {
    if (wanted) Push({item.key, item.path, false});
    item.key += '/';
  }
  item.folder = true;
  if (MayHold(item.key)) Push(std::move(item));
}

}  // namespace chainstore
