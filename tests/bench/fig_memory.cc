// Figures 1 (a hit through chain(memory)), 4 (a hit does not depend on the size), 5 (get_many),
// 7 (what an entry takes beyond key and value), 8 (what metrics cost on a hit).
#include <sys/wait.h>

#include <cstdio>
#include <memory>

#include "figures.h"
#include "lookup_table.h"
#include "product.h"
#include "workload.h"

namespace bench {
namespace {

constexpr uint64_t kManyKeys = 1'000'000;
constexpr uint64_t kFewKeys = 10'000;
constexpr size_t kValueSize = 100;

uint64_t Gets() { return settings().quick ? 200'000 : 1'000'000; }

std::vector<KeyStream> Streams(uint64_t keys, int threads) {
  std::vector<KeyStream> streams;
  for (int thread = 0; thread < threads; ++thread) {
    streams.push_back(KeyStream::Zipf(keys, Gets(), 1 + static_cast<uint64_t>(thread)));
  }
  return streams;
}

void Figure1Of(const char* what, uint64_t keys, const Goal& goal) {
  FrontedMemory ours = OpenFrontedMemory(uint64_t{4} << 30);
  LookupTable table(keys);
  const KeyStream all = KeyStream::Shuffled(keys, 3);
  const std::string value(kValueSize, 'v');
  for (size_t at = 0; at < all.size(); ++at) {
    PutOrDie(ours.get(), all.view(at), value);
    table.Insert(all.view(at), value);
  }
  for (const int threads : {1, 2}) {
    if (threads == 2 && keys == kFewKeys) continue;
    const std::vector<KeyStream> streams = Streams(keys, threads);
    const auto side = [&](const auto& get) -> Side {
      return [&, get] {
        return Timed(Time::kProcessor, threads, Gets(), [&](int thread) {
          const KeyStream& stream = streams[static_cast<size_t>(thread)];
          for (size_t at = 0; at < stream.size(); ++at) get(stream.at(at));
        });
      };
    };
    Compare("1", std::string(what) + " T" + std::to_string(threads) + " " + ours.what, goal,
            "lookup with a pin", side([&](const char* key) { GetHit(ours.get(), key, kKeySize); }),
            side([&](const char* key) { table.GetHit(key, kKeySize); }));
  }
}

void Figure4() {
  FrontedMemory ours = OpenFrontedMemory(uint64_t{4} << 30);
  constexpr uint64_t kKeys = 16;
  const std::string small(100, 's'), large(1 << 20, 'l');
  const KeyStream keys = KeyStream::Sequential(2 * kKeys);
  for (uint64_t at = 0; at < kKeys; ++at) {
    PutOrDie(ours.get(), keys.view(at), large);
    PutOrDie(ours.get(), keys.view(kKeys + at), small);
  }
  const auto side = [&](uint64_t from) -> Side {
    return [&, from] {
      return Timed(Time::kProcessor, 1, Gets(), [&](int) {
        for (uint64_t at = 0; at < Gets(); ++at) {
          GetHit(ours.get(), keys.at(from + at % kKeys), kKeySize);
        }
      });
    };
  };
  Compare("4", "get of 1 MiB / of 100 B", AtMost(1.3, 1.1), "get of 100 B", side(0), side(kKeys));
}

void Figure5() {
  const auto get_many = Symbol<cs_status (*)(cs_store*, const void*, const uint32_t*, size_t,
                                             const cs_call*, cs_result*)>("cs_get_many_sync");
  if (!get_many) return NotInThisBuild("5", "get_many(64) / 64 gets");
  FrontedMemory ours = OpenFrontedMemory(uint64_t{4} << 30);
  const KeyStream all = KeyStream::Shuffled(kManyKeys, 3);
  const std::string value(kValueSize, 'v');
  for (size_t at = 0; at < all.size(); ++at) PutOrDie(ours.get(), all.view(at), value);
  constexpr size_t kBatch = 64;
  const std::vector<uint32_t> sizes(kBatch, kKeySize);
  const KeyStream stream = KeyStream::Zipf(kManyKeys, Gets(), 1);
  const size_t count = stream.size() / kBatch * kBatch;
  Compare(
      "5", "get_many(64) Z1M " + ours.what, AtLeast(2, 2.8), "64 gets",
      [&] {
        return Timed(Time::kProcessor, 1, count, [&](int) {
          for (size_t at = 0; at < count; at += kBatch) {
            cs_result result;
            if (get_many(ours.get(), stream.at(at), sizes.data(), kBatch, nullptr, &result) !=
                CS_OK) {
              Die("get_many failed");
            }
            for (size_t entry = 0; entry < kBatch; ++entry) {
              Keep(*static_cast<const char*>(result.entries[entry].data));
            }
            cs_result_release(&result);
          }
        });
      },
      [&] {
        return Timed(Time::kProcessor, 1, count, [&](int) {
          for (size_t at = 0; at < count; ++at) GetHit(ours.get(), stream.at(at), kKeySize);
        });
      });
}

// In a process of its own: what other figures have left in the allocator must not count.
void Figure7() {
  const std::string command = std::string("/proc/") + std::to_string(getpid()) +
                              "/exe --child=churn" + (settings().quick ? " --quick" : "");
  FILE* child = popen(command.c_str(), "r");
  double bytes = 0;
  const bool read = child && fscanf(child, "%lf", &bytes) == 1;
  if (!child || pclose(child) != 0 || !read) Die("the process of figure 7 failed");
  Number("7", "bytes an entry beyond key and value", AtMost(56, 44), bytes, "bytes",
         "1M V100 after churn, RSS");
}

// What a hit of a memory store costs more behind metrics, in nanoseconds.
void Figure8() {
  Handle memory = OpenMemory(uint64_t{4} << 30);
  Handle metrics = OpenMetrics(memory.get());
  if (!metrics) return NotInThisBuild("8", "metrics on a memory hit");
  const KeyStream all = KeyStream::Shuffled(kFewKeys, 3);
  for (size_t at = 0; at < all.size(); ++at) {
    PutOrDie(memory.get(), all.view(at), std::string(kValueSize, 'v'));
  }
  // A few nanoseconds are less than a machine drifts in a second: many short rounds, the order of
  // the two sides changing from one to the next.
  const uint64_t gets = Gets() / 10;
  const KeyStream stream = KeyStream::Zipf(kFewKeys, gets, 1);
  const auto round = [&](cs_store* store) {
    return Timed(Time::kProcessor, 1, gets, [&](int) {
      for (size_t at = 0; at < stream.size(); ++at) GetHit(store, stream.at(at), kKeySize);
    });
  };
  round(memory.get()), round(metrics.get());  // warm
  std::vector<double> more;
  for (int at = 0; at < 20 * settings().rounds; ++at) {
    const double first = round(at % 2 ? metrics.get() : memory.get());
    const double second = round(at % 2 ? memory.get() : metrics.get());
    more.push_back(at % 2 ? first - second : second - first);
  }
  Number("8", "metrics on a memory hit", AtMost(10, 5), Median(more), "ns", "Z10k V100");
}

}  // namespace

int ChurnChild() {
  const uint64_t puts = settings().quick ? 1'000'000 : 10'000'000;
  const std::string value(kValueSize, 'v');
  Handle memory = OpenMemory(uint64_t{4} << 30);
  PutOrDie(memory.get(), KeyOf(0), value);
  // Live keys are a window of numbers that moves up: every second put of the churn is a new key,
  // for which the oldest one goes; the others overwrite one of the window.
  const uint64_t before = ResidentBytes();
  for (uint64_t number = 0; number < kManyKeys; ++number) {
    PutOrDie(memory.get(), KeyOf(number), value);
  }
  Random random(5);
  uint64_t first = 0;
  for (uint64_t put = 0; put < puts; ++put) {
    if (put % 2 == 0) {
      cs_del_sync(memory.get(), KeyOf(first).data(), kKeySize, nullptr, nullptr);
      PutOrDie(memory.get(), KeyOf(kManyKeys + first++), value);
    } else {
      PutOrDie(memory.get(), KeyOf(first + random.Next() % kManyKeys), value);
    }
  }
  const uint64_t after = ResidentBytes();
  printf("%f\n", static_cast<double>(after - before) / kManyKeys - kKeySize - kValueSize);
  return 0;
}

void MemoryFigures() {
  if (Wanted(1)) {
    Figure1Of("Z10k V100", kFewKeys, AtMost(1.8, 1.4));
    Figure1Of("Z1M V100", kManyKeys, AtMost(1.35, 1.15));
  }
  if (Wanted(4)) Figure4();
  if (Wanted(5)) Figure5();
  if (Wanted(7)) Figure7();
  if (Wanted(8)) Figure8();
}

}  // namespace bench
