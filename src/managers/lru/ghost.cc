#include "managers/lru/ghost.h"

#include <algorithm>
#include <bit>

namespace chainstore {

void Ghost::Add(uint32_t hash, uint32_t limit) {
  // Half full at most: hardly a bucket overflows.
  const size_t wanted = std::max(kFewestCells, std::bit_ceil(2 * size_t{limit}));
  if (cells_.size() < wanted) {
    std::vector<Cell> before(wanted);
    before.swap(cells_);
    for (const Cell& cell : before) Place(cell);
  }
  ++last_;
  Place({hash, last_});
}

void Ghost::Place(const Cell& cell) noexcept {
  Cell* const bucket = BucketOf(cell.hash);
  Cell* const oldest = std::max_element(
      bucket, bucket + kWays, [this](const Cell& a, const Cell& b) { return AgeOf(a) < AgeOf(b); });
  if (AgeOf(cell) < AgeOf(*oldest)) *oldest = cell;
}

bool Ghost::Take(uint32_t hash, uint32_t limit) noexcept {
  if (cells_.empty()) return false;
  Cell* const bucket = BucketOf(hash);
  bool found = false;
  for (Cell* cell = bucket; cell != bucket + kWays; ++cell) {
    if (cell->hash != hash || AgeOf(*cell) >= limit) continue;
    *cell = {};
    found = true;
  }
  return found;
}

}  // namespace chainstore
