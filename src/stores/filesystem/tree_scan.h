// TreeScan: the keys of a range that have files below a root, in the order of their bytes (or in
// reverse), one page's worth at a time. It walks the folders lazily: a heap holds what has been
// listed, a folder under the smallest key that it can hold, and is listed when its turn comes.
// It is exact because every key in a folder has the folder's prefix; folders whose keys interleave
// with their neighbours' (`a/` and `a-b`; long names cut into pieces) need no rule of their own.
// No descriptor stays open between two calls. Names that belong to no key are passed by.
// Thread safety: none; one page is one TreeScan. The range must outlive it.
#pragma once

#include <string>
#include <vector>

#include "core/request.h"
#include "stores/filesystem/file_tree.h"

namespace chainstore {

class TreeScan {
 public:
  TreeScan(const FileTree& tree, const Range& range);

  // The next key that has (or just had) a file. False: there is no other one, or *error says why
  // it cannot be told, and *path where.
  bool Next(std::string* key, int* error, std::string* path);

 private:
  struct Item {
    std::string key;   // of a folder: the prefix of all keys in it
    std::string path;  // from the root; of a file that may also be a folder's own one
    bool folder;
  };
  // The order of a heap: whether `a` is to come after `b`.
  struct After {
    bool reverse;
    bool operator()(const Item& a, const Item& b) const noexcept;
  };

  bool MayHold(Bytes prefix) const noexcept;
  void Push(Item item);
  int List(const Item& folder);
  void AddName(const Item& folder, int descriptor, const char* name, unsigned char type);

  const FileTree& tree_;
  const Range& range_;
  const std::string first_;
  const std::string beyond_;
  const After after_;
  std::vector<Item> heap_;
};

}  // namespace chainstore
