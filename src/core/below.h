// Below: a store as the layer above it asks it, and Front: as a caller does. With a trace (see
// trace.h) each is a span; without one it is the store's own operation and a branch.
// Thread safety: as Store. They borrow the store, for one expression.
#pragma once

#include <utility>

#include "core/store.h"

namespace chainstore {

class Below {
 public:
  explicit Below(Store& store) : store_(store) {}
  const std::string& name() const noexcept { return store_.name(); }
  uint32_t caps() const noexcept { return store_.caps(); }

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Get(key, read, call, std::move(done));
    Traced<Answer>(NameOf(read), call, std::move(done), [&](const Call& call, Done<Answer> done) {
      store_.Get(key, read, call, std::move(done));
    });
  }
  // Only ever asked where there is no trace.
  bool GetHit(const Key& key, Hit* hit) const noexcept { return store_.GetHit(key, hit); }
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Put(key, payload, call, std::move(done));
    Traced<Receipt>("put", call, std::move(done), [&](const Call& call, Done<Receipt> done) {
      store_.Put(key, payload, call, std::move(done));
    });
  }
  void Del(const Key& key, const Call& call, Done<Receipt>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Del(key, call, std::move(done));
    Traced<Receipt>("del", call, std::move(done), [&](const Call& call, Done<Receipt> done) {
      store_.Del(key, call, std::move(done));
    });
  }
  void GetMany(Store::Keys keys, const Call& call, Done<Entries>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.GetMany(std::move(keys), call, std::move(done));
    Traced<Entries>("get_many", call, std::move(done), [&](const Call& call, Done<Entries> done) {
      store_.GetMany(std::move(keys), call, std::move(done));
    });
  }
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Write(std::move(batch), call, std::move(done));
    Traced<Entries>("write", call, std::move(done), [&](const Call& call, Done<Entries> done) {
      store_.Write(std::move(batch), call, std::move(done));
    });
  }
  void Scan(const Range& range, const Call& call, Done<Page>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Scan(range, call, std::move(done));
    Traced<Page>("scan", call, std::move(done), [&](const Call& call, Done<Page> done) {
      store_.Scan(range, call, std::move(done));
    });
  }
  void Flush(Bytes prefix, const Call& call, Done<Status>&& done) const noexcept {
    if (!call.trace) [[likely]]
      return store_.Flush(prefix, call, std::move(done));
    Traced<Status>("flush", call, std::move(done), [&](const Call& call, Done<Status> done) {
      store_.Flush(prefix, call, std::move(done));
    });
  }

 private:
  static const char* NameOf(const Read& read) {
    if (read.what == Read::What::kStat) return "stat";
    return read.what == Read::What::kRange ? "get_range" : "get";
  }
  template <class T, class Start>
  void Traced(const char* operation, const Call& call, Done<T> done, Start start) const {
    Call inner = call;
    inner.span = call.trace->Begin(call.span, store_, operation, call.flags);
    start(inner, Done<T>([trace = call.trace, span = inner.span,
                          done = std::move(done)](T&& answer) mutable {
            trace->End(span, answer);
            done(std::move(answer));
          }));
  }

  Store& store_;
};

class Front {
 public:
  explicit Front(Store& store) : store_(store) {}

  // `start(below, call)` asks Below with the call, which has a trace if the store is traced.
  template <class Start>
  void Run(Bytes key, const Call& call, Start start) const {
    if (!store_.traced()) [[likely]]
      return start(Below(store_), call);
    Call traced = call;
    traced.trace = MakeRef<Trace>(store_, key);
    start(Below(store_), traced);
  }

 private:
  Store& store_;
};

}  // namespace chainstore
