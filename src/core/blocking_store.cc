#include "core/blocking_store.h"

namespace chainstore {

template <class T, class Work>
void BlockingStore::Run(const char* operation, const Call& call, Done<T> done, Work work) noexcept {
  if (call.wait == Wait::kNever) return done(T(Status(Code::kWouldBlock)));
  GatePass pass(gate());
  if (!pass) return done(T(ClosedStatus(operation)));
  auto run = [this, operation, work = std::move(work)](const Call& call) mutable -> T {
    if (const Code ended = call.Check(); ended != Code::kOk)
      return T(EndedStatus(ended, operation));
    return work(call);
  };
  if (call.wait == Wait::kHere) return done(run(call));
  runtime().Post(Lane::kSlow,
                 [self = Ref<Store>(this), pass = std::move(pass), call, run = std::move(run),
                  done = std::move(done)]() mutable { done(run(call)); });
}

void BlockingStore::Get(const Key& key, const Read& read, const Call& call,
                        Done<Answer> done) noexcept {
  if (call.wait != Wait::kLater) {
    return Run<Answer>("get", call, std::move(done),
                       [this, &key, &read](const Call& call) { return GetHere(key, read, call); });
  }
  Run<Answer>("get", call, std::move(done), [this, key = OwnedKey(key), read](const Call& call) {
    return GetHere(key, read, call);
  });
}

void BlockingStore::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  Run<Entries>("get_many", call, std::move(done), [this, keys = std::move(keys)](const Call& call) {
    return GetManyHere(keys, call);
  });
}

template <class Work>
void BlockingStore::ChangeHere(const char* operation, const Key& key, const Call& call,
                               Done<Receipt> done, Work work) noexcept {
  slots_.Acquire(key, call, [&](Status&& turn) {
    if (!turn.ok()) return done(Receipt(EndedStatus(turn.code(), operation)));
    Run<Receipt>(
        operation, call,
        [&](Receipt&& receipt) {
          slots_.Release(key);
          done(std::move(receipt));
        },
        work);
  });
}

void BlockingStore::Put(const Key& key, const Payload& payload, const Call& call,
                        Done<Receipt> done) noexcept {
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  if (call.wait == Wait::kHere) {
    return ChangeHere("put", key, call, std::move(done),
                      [&](const Call& call) { return PutHere(key, payload, call); });
  }
  OwnedKey owned(key);
  Payload shared(payload.Share(), payload.expires_at_ms());
  slots_.Acquire(
      key, call,
      [this, self = Ref<Store>(this), owned, shared, call,
       done = std::move(done)](Status&& turn) mutable {
        if (!turn.ok()) return done(Receipt(EndedStatus(turn.code(), "put")));
        auto released = [this, self, owned, done = std::move(done)](Receipt&& receipt) mutable {
          slots_.Release(owned);
          done(std::move(receipt));
        };
        Run<Receipt>("put", call, std::move(released), [this, owned, shared](const Call& call) {
          return PutHere(owned, shared, call);
        });
      });
}

void BlockingStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (call.wait == Wait::kNever) return done(Receipt(Code::kWouldBlock));
  if (call.wait == Wait::kHere) {
    return ChangeHere("del", key, call, std::move(done),
                      [&](const Call& call) { return DelHere(key, call); });
  }
  OwnedKey owned(key);
  slots_.Acquire(
      key, call,
      [this, self = Ref<Store>(this), owned, call, done = std::move(done)](Status&& turn) mutable {
        if (!turn.ok()) return done(Receipt(EndedStatus(turn.code(), "del")));
        auto released = [this, self, owned, done = std::move(done)](Receipt&& receipt) mutable {
          slots_.Release(owned);
          done(std::move(receipt));
        };
        Run<Receipt>("del", call, std::move(released),
                     [this, owned](const Call& call) { return DelHere(owned, call); });
      });
}

void BlockingStore::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (call.wait == Wait::kNever) return done(Entries(Status(Code::kWouldBlock)));
  KeySlots::Keys keys;
  keys.reserve(batch->ops.size());
  for (const Batch::Op& op : batch->ops) keys.push_back(op.key);
  auto sorted = std::make_shared<const KeySlots::Keys>(KeySlots::Sorted(std::move(keys)));
  slots_.AcquireAll(
      sorted, call,
      [this, self = Ref<Store>(this), batch, sorted, call,
       done = std::move(done)](Status&& turn) mutable {
        if (!turn.ok()) return done(Entries(EndedStatus(turn.code(), "write")));
        auto released = [this, self, sorted, done = std::move(done)](Entries&& entries) mutable {
          slots_.ReleaseAll(*sorted);
          done(std::move(entries));
        };
        Run<Entries>("write", call, std::move(released),
                     [this, batch](const Call& call) { return WriteHere(*batch, call); });
      });
}

void BlockingStore::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  Run<Page>("scan", call, std::move(done),
            [this, range](const Call& call) { return ScanHere(range, call); });
}

void BlockingStore::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  Run<Status>(
      "flush", call, std::move(done),
      [this, prefix = std::string(prefix)](const Call& call) { return FlushHere(prefix, call); });
}

void BlockingStore::CloseSelf(const Call& call, Done<Status> done) noexcept {
  // Always on a worker: this is the stack of whoever left the gate last.
  runtime().Post(Lane::kSlow, [this, self = Ref<Store>(this), call,
                               done = std::move(done)]() mutable { done(CloseHere(call)); });
}

Entries BlockingStore::GetManyHere(const Keys& keys, const Call& call) noexcept {
  Entries out;
  out.entries.resize(keys.size());
  for (size_t at = 0; at < keys.size(); ++at) {
    Answer answer;
    if (const Code ended = call.Check(); ended != Code::kOk) {
      answer.status = EndedStatus(ended, "get_many");
    } else {
      answer = GetHere(keys[at], Read::Whole(), call);
    }
    Entry& entry = out.entries[at];
    entry.key = keys[at].bytes();
    entry.status = std::move(answer.status);
    entry.flags = answer.flags;
    entry.meta = answer.meta;
    entry.value = std::move(answer.value);
  }
  out.Summarise(name(), "get_many");
  return out;
}

Entries BlockingStore::WriteHere(const Batch& batch, const Call& call) noexcept {
  Entries out;
  out.entries.resize(batch.ops.size());
  for (size_t at = 0; at < batch.ops.size(); ++at) {
    const Batch::Op& op = batch.ops[at];
    Receipt receipt = op.value ? PutHere(op.key, Payload(op.value, op.expires_at_ms), call)
                               : DelHere(op.key, call);
    Entry& entry = out.entries[at];
    entry.status = std::move(receipt.status);
    entry.flags = receipt.flags;
    entry.meta = receipt.meta;
  }
  out.Summarise(name(), "write");
  return out;
}

Page BlockingStore::ScanHere(const Range&, const Call&) noexcept {
  return Page(Status(Fail(Code::kUnsupported, "scan", "this store cannot scan")));
}

Status BlockingStore::FlushHere(Bytes, const Call&) noexcept { return Code::kOk; }

}  // namespace chainstore
