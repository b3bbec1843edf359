// Figure 9: what an asynchronous get costs: completed inline, through a queue with one call at a
// time, and through a queue with 256 at once.
#include "figures.h"
#include "product.h"
#include "workload.h"

namespace bench {
namespace {

constexpr uint64_t kKeys = 10'000;

void Released(void* seen, cs_result* result) {
  Keep(*static_cast<const char*>(result->data));
  ++*static_cast<uint64_t*>(seen);
}

void Inline(cs_store* store) {
  const uint64_t gets = settings().quick ? 200'000 : 1'000'000;
  const KeyStream stream = KeyStream::Zipf(kKeys, gets, 1);
  cs_call call = CS_CALL_INIT;
  call.flags = CS_CALL_INLINE;
  Compare(
      "9", "async inline get Z10k", AtMost(1.5, 1.2), "sync get",
      [&] {
        uint64_t seen = 0;
        const double took = Timed(Time::kProcessor, 1, gets, [&](int) {
          for (size_t at = 0; at < gets; ++at) {
            if (cs_get(store, stream.at(at), kKeySize, &call, Released, &seen) != CS_OK) {
              Die("an asynchronous get was refused");
            }
          }
        });
        if (seen != gets) Die("an inline completion did not come inline");
        return took;
      },
      [&] {
        return Timed(Time::kProcessor, 1, gets, [&](int) {
          for (size_t at = 0; at < gets; ++at) GetHit(store, stream.at(at), kKeySize);
        });
      });
}

// Nanoseconds of a missing get through a queue, with so many under way at once.
double ThroughQueue(cs_store* store, uint32_t depth, uint64_t gets) {
  cs_error* error = nullptr;
  cs_queue* queue = cs_queue_new(depth, &error);
  if (!queue) Die(cs_error_message(error));
  cs_call call = CS_CALL_INIT;
  call.queue = queue;
  std::vector<cs_result> results(depth);
  const double took = Timed(Time::kWall, 1, gets, [&](int) {
    for (uint64_t done = 0; done < gets; done += depth) {
      for (uint32_t at = 0; at < depth; ++at) {
        if (cs_get(store, "missing", 7, &call, nullptr, nullptr) != CS_OK) Die("a get was refused");
      }
      for (uint32_t taken = 0; taken < depth;) {
        size_t count = 0;
        cs_queue_take(queue, results.data(), depth, CS_FOREVER, &count);
        for (size_t at = 0; at < count; ++at) cs_result_release(&results[at]);
        taken += static_cast<uint32_t>(count);
      }
    }
  });
  cs_queue_unref(queue);
  return took;
}

double SyncMiss(cs_store* store, uint64_t gets) {
  return Timed(Time::kWall, 1, gets, [&](int) {
    for (uint64_t at = 0; at < gets; ++at) {
      cs_result result;
      cs_get_sync(store, "missing", 7, nullptr, &result);
      cs_result_release(&result);
    }
  });
}

void Queued(cs_store* store, uint32_t depth, const char* what, const Goal& goal) {
  const uint64_t gets = settings().quick ? 4096 : 16384;
  std::vector<double> beyond;
  for (int round = 0; round <= settings().rounds; ++round) {
    const double ns = ThroughQueue(store, depth, gets) - SyncMiss(store, gets);
    if (round > 0) beyond.push_back(ns);
  }
  Number("9", what, goal, Median(beyond), "ns", "beyond a sync miss");
}

}  // namespace

void AsyncFigures() {
  if (!Wanted(9)) return;
  FrontedMemory ours = OpenFrontedMemory(uint64_t{1} << 30);
  const std::string value(100, 'v');
  for (uint64_t number = 0; number < kKeys; ++number) PutOrDie(ours.get(), KeyOf(number), value);
  Inline(ours.get());
  Queued(ours.get(), 1, "a miss through a queue, depth 1", AtMost(20'000, 15'000));
  Queued(ours.get(), 256, "a miss through a queue, depth 256", AtMost(500, 200));
}

}  // namespace bench
