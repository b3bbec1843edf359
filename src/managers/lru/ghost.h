// Ghost: which keys went lately, by a hash of 32 bits: what S3-FIFO calls the ghost queue. A table
// of buckets of one cache line; a full bucket forgets its oldest, so it takes no list and no memory
// but its own.
// Thread safety: none; the shard's lock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace chainstore {

class Ghost {
 public:
  // `limit`: how many of the last ones count. It may be another one each time.
  void Add(uint32_t hash, uint32_t limit);
  // True, and it is forgotten, if it was among the last `limit`.
  bool Take(uint32_t hash, uint32_t limit) noexcept;

 private:
  static constexpr uint32_t kWays = 8;
  static constexpr size_t kFewestCells = 1024;
  struct Cell {
    uint32_t hash = 0;
    uint32_t number = 0;  // of the Add; cells that were never used are older than any limit
  };
  uint32_t AgeOf(const Cell& cell) const noexcept { return last_ - cell.number; }
  Cell* BucketOf(uint32_t hash) noexcept {
    return &cells_[(hash & (cells_.size() / kWays - 1)) * kWays];
  }
  void Place(const Cell& cell) noexcept;

  uint32_t last_ = uint32_t{1} << 31;
  std::vector<Cell> cells_;
};

}  // namespace chainstore
