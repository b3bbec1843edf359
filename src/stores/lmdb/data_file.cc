#include "stores/lmdb/data_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace chainstore::lmdb {
namespace {

// The start of LMDB's meta pages (page 0 and page 1), as its format 1 lays them out on a machine
// with 64-bit words.
struct MetaPage {
  uint64_t page_number;
  uint16_t pad;
  uint16_t page_flags;
  uint32_t bounds;
  uint32_t magic;
  uint32_t version;
  uint64_t address;
  uint64_t map_size;
  uint32_t page_size;  // in what is otherwise the free list's padding
  uint16_t free_flags;
  uint16_t free_depth;
  uint64_t free_counts[5];
  uint64_t main_counts[6];
  uint64_t last_page;
  uint64_t transaction;
};
static_assert(sizeof(MetaPage) == 152 && offsetof(MetaPage, last_page) == 136);

constexpr uint32_t kMagic = 0xBEEFC0DE;
constexpr uint32_t kVersion = 1;
constexpr uint16_t kMetaFlag = 0x08;
// Free pages at the end that no transaction has ever written come from one transaction's scratch
// pages; LMDB bounds those at 2^17.
constexpr uint64_t kMostUnwrittenPages = uint64_t{1} << 20;

bool ReadMeta(int fd, uint64_t offset, MetaPage* out) {
  return pread(fd, out, sizeof(*out), static_cast<off_t>(offset)) == ssize_t{sizeof(*out)};
}

bool IsMeta(const MetaPage& meta) {
  return meta.magic == kMagic && (meta.page_flags & kMetaFlag) != 0;
}

bool IsPageSize(uint32_t size) { return size >= 512 && size <= 65536 && (size & (size - 1)) == 0; }

void InspectOpened(int fd, uint64_t file_size, DataFile* out) {
  MetaPage first, second;
  out->kind = DataFile::Kind::kOther;
  if (!ReadMeta(fd, 0, &first) || !IsMeta(first)) return;
  out->kind = DataFile::Kind::kOtherVersion;
  if (first.version != kVersion) return;
  out->kind = DataFile::Kind::kDamaged;
  out->why = "its first page names an impossible page size";
  if (!IsPageSize(first.page_size)) return;
  out->why = "its second meta page is damaged";
  if (!ReadMeta(fd, first.page_size, &second) || !IsMeta(second) || second.version != kVersion) {
    return;
  }
  const MetaPage& newest = first.transaction > second.transaction ? first : second;
  out->why = "its end is missing";
  if (newest.last_page > file_size / first.page_size + kMostUnwrittenPages) return;
  out->why.clear();
  out->kind = DataFile::Kind::kLmdb;
}

// How many pages from `first` to the end are on the free list.
int CountFreeFrom(MDB_env* env, uint64_t first, uint64_t* free_pages) {
  constexpr MDB_dbi kFreeList = 0;
  MDB_txn* txn;
  int rc = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (rc != 0) return rc;
  MDB_cursor* cursor = nullptr;
  rc = mdb_cursor_open(txn, kFreeList, &cursor);
  MDB_val key, list;
  for (int op = MDB_FIRST; rc == 0; op = MDB_NEXT) {
    rc = mdb_cursor_get(cursor, &key, &list, static_cast<MDB_cursor_op>(op));
    if (rc != 0) break;
    // A count, then as many page numbers.
    const size_t words = list.mv_size / sizeof(uint64_t);
    for (size_t at = 1; at < words; ++at) {
      uint64_t page;
      memcpy(&page, static_cast<char*>(list.mv_data) + at * sizeof(page), sizeof(page));
      uint64_t count;
      memcpy(&count, list.mv_data, sizeof(count));
      if (at > count) break;
      *free_pages += page >= first;
    }
  }
  if (cursor) mdb_cursor_close(cursor);
  mdb_txn_abort(txn);
  return rc == MDB_NOTFOUND ? 0 : rc;
}

}  // namespace

int InspectDataFile(const std::string& path, DataFile* out) {
  *out = DataFile();
  struct stat info;
  if (stat(path.c_str(), &info) != 0) return errno == ENOENT ? 0 : errno;
  out->kind = DataFile::Kind::kNotAFile;
  if (!S_ISREG(info.st_mode)) return 0;
  out->kind = DataFile::Kind::kEmpty;
  if (info.st_size == 0) return 0;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  InspectOpened(fd, static_cast<uint64_t>(info.st_size), out);
  close(fd);
  return 0;
}

bool CompleteDataFile(MDB_env* env, int* rc) {
  MDB_envinfo info;
  MDB_stat stat;
  int fd;
  mdb_env_info(env, &info);
  mdb_env_stat(env, &stat);
  mdb_env_get_fd(env, &fd);
  struct stat file;
  *rc = fstat(fd, &file) == 0 ? 0 : errno;
  if (*rc != 0) return true;
  const uint64_t pages = uint64_t{info.me_last_pgno} + 1;
  const uint64_t present = static_cast<uint64_t>(file.st_size) / stat.ms_psize;
  if (present >= pages) return true;
  *rc = ftruncate(fd, static_cast<off_t>(pages * stat.ms_psize)) == 0 ? 0 : errno;
  if (*rc != 0) return true;
  uint64_t free_pages = 0;
  // What is missing reads as zeros now, which LMDB knows for no page of a tree.
  const int walked = CountFreeFrom(env, present, &free_pages);
  if (walked == 0 && free_pages >= pages - present) return true;
  // So that the next one to open it finds it out as well.
  if (ftruncate(fd, file.st_size) != 0) *rc = errno;
  return false;
}

}  // namespace chainstore::lmdb
