// Figures 15 (what the LRU manager takes around a disk store, and how fast it is warm again) and 16
// (its hit ratio on recorded traces).
#include <malloc.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>

#include "figures.h"
#include "product.h"
#include "workload.h"

namespace bench {
namespace {

// ---- Figure 15 ----

uint64_t AllocatedBytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

void Figure15() {
  const uint64_t keys = settings().quick ? 100'000 : 1'000'000;
  const Folder folder("lru-lmdb");
  const OptionList fast = {{"durability", "cache"}};
  {
    Handle lmdb = OpenLmdb(folder.path(), fast);
    if (!lmdb || !OpenLru(lmdb.get(), uint64_t{64} << 30)) {
      return NotInThisBuild("15", "LRU over a disk store");
    }
  }
  const std::string value(100, 'v');
  {
    Handle lmdb = OpenLmdb(folder.path(), fast);
    Handle lru = OpenLru(lmdb.get(), uint64_t{64} << 30);
    const uint64_t before = AllocatedBytes();
    for (uint64_t number = 0; number < keys; ++number) PutOrDie(lru.get(), KeyOf(number), value);
    const double each = static_cast<double>(AllocatedBytes() - before) / static_cast<double>(keys);
    Number("15", "memory a key beyond the key", AtMost(40, 28), each - kKeySize, "bytes");
  }
  std::vector<double> seconds;
  for (int round = 0; round < settings().rounds; ++round) {
    Handle lmdb = OpenLmdb(folder.path(), fast);
    const double start = NowNs();
    Handle lru = OpenLru(lmdb.get(), uint64_t{64} << 30);
    // A flush of the LRU ends after what it read at its opening.
    const auto flush =
        Symbol<cs_status (*)(cs_store*, const void*, size_t, const cs_call*, cs_result*)>(
            "cs_flush_sync");
    if (flush) flush(lru.get(), nullptr, 0, nullptr, nullptr);
    seconds.push_back((NowNs() - start) / 1e9 * 1e6 / static_cast<double>(keys));
  }
  Number("15", "reload of 1M keys", AtMost(0.5, 0.2), Median(seconds), "seconds");
}

// ---- Figure 16 ----

struct Trace {
  const char* name;
  const char* command;  // decompresses to standard output
};
constexpr Trace kTraces[] = {
    {"arc-OLTP", "zstd -dcq '%s/arc-OLTP.lis.zst'"},
    {"lirs-loop", "gzip -dc '%s/lirs-loop.trace.gz'"},
    {"lirs-multi3", "gzip -dc '%s/lirs-multi3.trace.gz'"},
    {"lirs-sprite", "gzip -dc '%s/lirs-sprite.trace.gz'"},
    {"cache2k-web12", "xz -dc '%s/cache2k-web12.trace.xz'"},
};

std::string Decompressed(const Trace& trace) {
  char command[512];
  snprintf(command, sizeof command, trace.command, settings().traces.c_str());
  FILE* pipe = popen(command, "r");
  if (!pipe) Die("cannot start a decompressor");
  std::string bytes;
  char buffer[65536];
  while (const size_t size = fread(buffer, 1, sizeof buffer, pipe)) bytes.append(buffer, size);
  if (pclose(pipe) != 0) Die(std::string("cannot decompress ") + trace.name);
  return bytes;
}

// The blocks in the order of the requests; the formats are those of the traces' README.
std::vector<uint64_t> Requests(const Trace& trace) {
  const std::string bytes = Decompressed(trace);
  const std::string_view name = trace.name;
  std::vector<uint64_t> requests;
  if (name.starts_with("cache2k")) {
    for (size_t at = 0; at + 4 <= bytes.size(); at += 4) {
      uint32_t big_endian = 0;
      for (size_t byte = 0; byte < 4; ++byte) {
        big_endian = big_endian << 8 | static_cast<unsigned char>(bytes[at + byte]);
      }
      requests.push_back(big_endian);
    }
    return requests;
  }
  std::istringstream lines(bytes);
  std::string line;
  while (std::getline(lines, line)) {
    if (line.find('*') != std::string::npos) continue;
    std::istringstream fields(line);
    uint64_t start, count = 1;
    if (!(fields >> start)) continue;
    if (name.starts_with("arc")) fields >> count;
    for (uint64_t block = start; block < start + count; ++block) requests.push_back(block);
  }
  return requests;
}

// What one entry of our size takes in the memory store: the budget is in bytes, the table in
// entries.
uint64_t EntryBytes() {
  constexpr uint64_t kBudget = 1'000'000;
  Handle memory = OpenMemory(kBudget);
  uint64_t fit = 0;
  const std::string key_of_none = KeyOf(0);
  while (cs_put_sync(memory.get(), KeyOf(fit).data(), kKeySize, "", 0, nullptr, nullptr) == CS_OK) {
    ++fit;
  }
  return kBudget / fit;
}

double HitPercent(const std::vector<uint64_t>& requests, uint64_t entries, uint64_t entry_bytes,
                  const OptionList& options) {
  Handle memory = OpenMemory(uint64_t{1} << 30);
  Handle lru = OpenLru(memory.get(), entries * entry_bytes, options);
  uint64_t hits = 0;
  char key[kKeySize];
  for (const uint64_t block : requests) {
    WriteKey(block, key);
    cs_result result;
    const cs_status status = cs_get_sync(lru.get(), key, kKeySize, nullptr, &result);
    cs_result_release(&result);
    if (status == CS_OK)
      ++hits;
    else
      PutOrDie(lru.get(), {key, kKeySize}, "");
  }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(requests.size());
}

void Figure16() {
  std::ifstream table(settings().traces + "/RESULTS.tsv");
  if (!table) return Note("figure 16: there are no traces in " + settings().traces);
  {
    Handle memory = OpenMemory(uint64_t{1} << 20);
    if (!OpenLru(memory.get(), uint64_t{1} << 20)) return NotInThisBuild("16", "LRU hit ratio");
  }
  const uint64_t entry_bytes = EntryBytes();
  std::string line;
  std::getline(table, line);  // the names of the columns
  std::string loaded;
  std::vector<uint64_t> requests;
  while (std::getline(table, line)) {
    std::istringstream fields(line);
    std::string name;
    uint64_t entries;
    double expected, unused, s3fifo;
    fields >> name >> entries >> expected >> unused >> unused >> s3fifo;
    for (const Trace& trace : kTraces) {
      if (name != trace.name || loaded == name) continue;
      requests = Requests(trace);
      loaded = name;
    }
    if (loaded != name) continue;
    const double ours =
        HitPercent(requests, entries, entry_bytes, {{"shards", "1"}, {"cushion", "0"}});
    char remark[64];
    snprintf(remark, sizeof remark, "%.2f / %.2f %%", ours, expected);
    Number("16", name + " " + std::to_string(entries) + " lru", AtMost(0.01, 0.005),
           std::abs(ours - expected), "points", remark);
    const double scan_resistant =
        HitPercent(requests, entries, entry_bytes, {{"policy", "s3fifo"}, {"cushion", "0"}});
    snprintf(remark, sizeof remark, "%.2f / %.2f %%", scan_resistant, s3fifo);
    Number("16", name + " " + std::to_string(entries) + " s3fifo", AtLeast(-0.5, -0.2),
           scan_resistant - s3fifo, "points", remark);
  }
}

}  // namespace

void LruFigures() {
  if (Wanted(15)) Figure15();
  if (Wanted(16)) Figure16();
}

}  // namespace bench
