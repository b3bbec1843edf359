// The operations of section 6, each once: what stands against it, and how its store is asked. The
// start functions and the waiting functions are both made of these.
// Thread safety: none needed; an operation lives on the caller's stack. It borrows its arguments.
#pragma once

#include "capi/batch.h"
#include "capi/call.h"
#include "core/answer.h"
#include "core/below.h"

namespace chainstore {

struct Operation {
  // The call is going to be made: what is handed over leaves the caller's hands here.
  void Accepted() noexcept {}

 protected:
  static Status FirstWrong(const Store& store, const char* operation, const char* first,
                           const char* second = nullptr) noexcept {
    const char* wrong = first ? first : second;
    return wrong ? Invalid(&store, operation, wrong) : Status();
  }
};

// Whether the store has the value at hand, of a get that sets nothing in its call: the way through
// the layers with the fewest steps. False: *hit is as it was, the operation tells why.
inline bool TakeHit(Store& store, const void* key, size_t key_size, Hit* hit) noexcept {
  return !store.traced() && store.GetHit(Key(BytesAt(key, key_size)), hit);
}

// get, get_range and stat.
struct ReadOperation : Operation {
  using Answer = chainstore::Answer;
  static constexpr Kind kKind = Kind::kRead;
  const char* name;
  Read read;
  const void* key;
  size_t key_size;

  ReadOperation(const char* name, const Read& read, const void* key, size_t key_size)
      : name(name), read(read), key(key), key_size(key_size) {}
  Status Check(const Store& store, const CallIn&) noexcept {
    return FirstWrong(store, name, CheckKey(key, key_size));
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    const Key asked(BytesAt(key, key_size));
    Front(store).Run(asked.bytes, call, [&](const Below& below, const Call& call) {
      below.Get(asked, read, call, std::move(done));
    });
  }
};

struct PutOperation : Operation {
  using Answer = Receipt;
  static constexpr Kind kKind = Kind::kWrite;
  static constexpr const char* name = "put";
  const void* key;
  size_t key_size;
  const void* data;
  size_t size;
  int64_t expires_at_ms = 0;

  PutOperation(const void* key, size_t key_size, const void* data, size_t size)
      : key(key), key_size(key_size), data(data), size(size) {}
  Status Check(const Store& store, const CallIn& in) noexcept {
    Status wrong = FirstWrong(store, name, CheckKey(key, key_size), CheckData(data, size));
    return wrong.ok() ? CheckWrite(store, name, in, &expires_at_ms) : wrong;
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    const Key asked(BytesAt(key, key_size));
    Front(store).Run(asked.bytes, call, [&](const Below& below, const Call& call) {
      below.Put(asked, Payload(BytesAt(data, size), expires_at_ms), call, std::move(done));
    });
  }
};

struct PutValueOperation : Operation {
  using Answer = Receipt;
  static constexpr Kind kKind = Kind::kWrite;
  static constexpr const char* name = "put";
  const void* key;
  size_t key_size;
  cs_value* value;
  int64_t expires_at_ms = 0;

  PutValueOperation(const void* key, size_t key_size, cs_value* value)
      : key(key), key_size(key_size), value(value) {}
  Status Check(const Store& store, const CallIn& in) noexcept {
    Status wrong =
        FirstWrong(store, name, CheckKey(key, key_size), value ? nullptr : "the value is NULL");
    return wrong.ok() ? CheckWrite(store, name, in, &expires_at_ms) : wrong;
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    const Key asked(BytesAt(key, key_size));
    Front(store).Run(asked.bytes, call, [&](const Below& below, const Call& call) {
      below.Put(asked, Payload(Ref<Value>(Unwrap(value)), expires_at_ms), call, std::move(done));
    });
  }
};

struct DelOperation : Operation {
  using Answer = Receipt;
  static constexpr Kind kKind = Kind::kWrite;
  static constexpr const char* name = "del";
  const void* key;
  size_t key_size;

  DelOperation(const void* key, size_t key_size) : key(key), key_size(key_size) {}
  Status Check(const Store& store, const CallIn& in) noexcept {
    int64_t unused_ms = 0;
    Status wrong = FirstWrong(store, name, CheckKey(key, key_size));
    return wrong.ok() ? CheckWrite(store, name, in, &unused_ms) : wrong;
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    const Key asked(BytesAt(key, key_size));
    Front(store).Run(asked.bytes, call, [&](const Below& below, const Call& call) {
      below.Del(asked, call, std::move(done));
    });
  }
};

struct GetManyOperation : Operation {
  using Answer = Entries;
  static constexpr Kind kKind = Kind::kRead;
  static constexpr const char* name = "get_many";
  const void* packed;
  const uint32_t* key_sizes;
  size_t count;
  Store::Keys keys;

  GetManyOperation(const void* packed, const uint32_t* key_sizes, size_t count)
      : packed(packed), key_sizes(key_sizes), count(count) {}
  // Throws std::bad_alloc.
  Status Check(const Store& store, const CallIn& in);
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    if (keys.empty()) return done(Entries());
    Front(store).Run({}, call, [&](const Below& below, const Call& call) {
      below.GetMany(std::move(keys), call, std::move(done));
    });
  }
};

struct WriteOperation : Operation {
  using Answer = Entries;
  static constexpr Kind kKind = Kind::kWrite;
  static constexpr const char* name = "write";
  cs_batch* builder;
  Ref<Batch> batch;
  int64_t expires_at_ms = 0;

  explicit WriteOperation(cs_batch* builder) : builder(builder) {}
  Status Check(const Store& store, const CallIn& in) noexcept;
  void Accepted() noexcept {
    if (builder) batch = builder->Take();
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept;
};

struct FlushOperation : Operation {
  using Answer = Status;
  static constexpr Kind kKind = Kind::kOther;
  static constexpr const char* name = "flush";
  const void* prefix;
  size_t prefix_size;

  FlushOperation(const void* prefix, size_t prefix_size)
      : prefix(prefix), prefix_size(prefix_size) {}
  Status Check(const Store& store, const CallIn&) noexcept {
    return FirstWrong(store, name,
                      prefix_size > kMaxKeySize ? "the prefix is longer than any key" : nullptr,
                      CheckData(prefix, prefix_size));
  }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    Front(store).Run({}, call, [&](const Below& below, const Call& call) {
      below.Flush(BytesAt(prefix, prefix_size), call, std::move(done));
    });
  }
};

struct CloseOperation : Operation {
  using Answer = Status;
  static constexpr Kind kKind = Kind::kOther;
  static constexpr const char* name = "close";

  Status Check(const Store&, const CallIn&) noexcept { return Status(); }
  void Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
    store.Close(call, std::move(done));
  }
};

}  // namespace chainstore
