// Trace: one operation's way through the stores: a tree of spans, one for each store that was
// asked, with what it answered and how long it took. It goes with the Call, also into what the
// operation starts in the background, and is told as one line of JSON (cs_on_trace,
// CHAINSTORE_TRACE=1) when the last part of the operation has let go of it: a back-fill is in it.
//
// A call without a trace costs one branch at each layer (see Below).
// Thread safety: any thread. The function is called by TraceSink, on a library thread.
#pragma once

#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/mutex.h"
#include "base/ref.h"
#include "base/status.h"

namespace chainstore {

class Store;
struct Answer;
struct Entries;
struct Page;
struct Receipt;

class Trace final : public RefCounted<Trace> {
 public:
  static constexpr uint16_t kNone = UINT16_MAX;
  // What is beyond is counted, not shown: a batch may ask a store thousands of times.
  static constexpr size_t kMaxSpans = 256;

  // `key` may be empty: the operation has none, or many.
  Trace(Store& root, Bytes key);
  ~Trace();  // tells it

  // A span of `store` below `parent` (kNone: the first); `flags` are the call's.
  uint16_t Begin(uint16_t parent, const Store& store, const char* operation, uint32_t flags);
  void End(uint16_t span, const Answer& answer) noexcept;
  void End(uint16_t span, const Receipt& receipt) noexcept;
  void End(uint16_t span, const Entries& entries) noexcept;
  void End(uint16_t span, const Page& page) noexcept;
  void End(uint16_t span, const Status& status) noexcept;
  // What else a store has to say of its span: "retries". `name` is a constant; numbers of one name
  // are added up.
  void Note(uint16_t span, const char* name, uint64_t number);

  std::string ToJson() const;

 private:
  struct Span {
    uint16_t parent;
    std::string store;
    const char* operation;
    bool is_fill;
    int64_t begin_ns;
    int64_t end_ns = -1;  // it has not ended
    Code code = Code::kOk;
    uint32_t tier = 0;
    std::vector<std::pair<const char*, uint64_t>> notes;
  };
  Span* EndLocked(uint16_t span, Code code) noexcept CS_REQUIRES(mutex_);
  void AppendLocked(size_t span, std::string* out) const CS_REQUIRES(mutex_);

  const Ref<Store> root_;
  const std::string key_;
  const int64_t wall_ms_;
  const int64_t begin_ns_;
  mutable Mutex mutex_;
  std::vector<Span> spans_ CS_GUARDED_BY(mutex_);
  uint64_t not_shown_ CS_GUARDED_BY(mutex_) = 0;
};

}  // namespace chainstore
