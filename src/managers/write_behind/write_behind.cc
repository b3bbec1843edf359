#include "managers/write_behind/write_behind.h"

#include <new>

#include "core/await.h"
#include "core/below.h"
#include "core/limit.h"
#include "managers/write_behind/scan_page.h"

namespace chainstore {

Result<Ref<Store>> NewWriteBehind(Ref<Store> inner, const Options* options) {
  if (!inner) return Failure(Code::kInvalid, "there is no store to deliver to").Store("behind");
  Result<behind::Settings> settings = behind::Settings::Parse(options);
  if (!settings.ok()) return settings.status();
  Ref<Runtime> runtime = RuntimeFor(options, inner.get());
  Ref<Store> store = MakeRef<behind::WriteBehind>(std::move(inner), *settings, std::move(runtime));
  store->SetRecipe({"behind", {}, kWriteBehindOptions, options});
  return store;
}

namespace behind {
namespace {

// What a value of its own costs, once: a store that keeps a slice of something larger, or a page of
// an engine, for as long as an outage lasts would hold far more than it counts.
Ref<Value> Keepable(const Payload& payload) {
  Ref<Value> value = payload.Share();
  return value->is_keepable() ? value : Value::Copy(value->bytes());
}

Answer AnswerOf(const Pending::View& view, const Read& read, const Call& call) {
  if (!view.value) return Answer(Code::kNotFound);
  Answer answer;
  answer.flags = view.flags;
  answer.tier = 1;
  answer.meta.total_size = view.value->size();
  answer.meta.expires_at_ms = view.expires_at_ms;
  if (read.what == Read::What::kStat) return answer;
  const size_t total = view.value->size();
  const bool copy = call.Has(Call::kOwned) && !view.value->is_heap();
  answer.value = read.what == Read::What::kWhole
                     ? view.value
                     : Value::Slice(view.value, read.Offset(total), read.Length(total));
  if (copy) answer.value = Value::Copy(answer.value->bytes());
  return answer;
}

Entry EntryOf(const OwnedKey& key, Answer answer) {
  Entry entry;
  entry.key = key.bytes();
  entry.status = std::move(answer.status);
  entry.flags = answer.flags;
  entry.meta = answer.meta;
  entry.value = std::move(answer.value);
  return entry;
}

// Gathers the receipts of a batch, which come in any order.
struct BatchState final : RefCounted<BatchState> {
  Mutex mutex;
  Entries out CS_GUARDED_BY(mutex);
  size_t missing CS_GUARDED_BY(mutex) = 0;
  Done<Entries> done;
};

}  // namespace

WriteBehind::WriteBehind(Ref<Store> inner, const Settings& settings, Ref<Runtime> runtime,
                         std::unique_ptr<Journal> journal, std::unique_ptr<Scheduler> scheduler)
    : Store("behind", runtime), inner_(std::move(inner)), settings_(settings) {
  Adopt(*inner_);
  if (!journal) journal = std::make_unique<NoJournal>();
  if (!scheduler) scheduler = NewRuntimeScheduler(std::move(runtime));
  queue_ = MakeRef<Queue>(this, inner_, settings_, std::move(journal), std::move(scheduler));
}

uint32_t WriteBehind::caps() const noexcept {
  return (inner_->caps() & ~(kCapDurable | kCapAtomicBatch)) | kCapTry | kCapBehind;
}

Limits WriteBehind::limits() const noexcept {
  Limits limits = inner_->limits();
  if (settings_.overflow != Overflow::kThrough) {
    const uint64_t room = settings_.max_bytes > kMaxKeySize ? settings_.max_bytes - kMaxKeySize : 0;
    limits.max_value_size = std::min(limits.max_value_size, room);
  }
  return limits;
}

// ---- Reads ----

void WriteBehind::Get(const Key& key, const Read& read, const Call& call,
                      Done<Answer> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Answer(ClosedStatus("get")));
  Pending::View view;
  uint64_t began = 0;
  if (queue_->Look(key, &view, &began)) return done(AnswerOf(view, read, call));
  if (call.wait == Wait::kLater) {
    return Below(*inner_).Get(key, read, call,
                              [self = Ref<WriteBehind>(this), pass = std::move(pass), began,
                               done = std::move(done)](Answer&& answer) mutable {
                                self->queue_->EndRead(began);
                                pass = GatePass();
                                done(std::move(answer));
                              });
  }
  Answer answer(Code::kWouldBlock);
  if (call.wait == Wait::kHere || (inner_->caps() & kCapTry) != 0) {
    Below(*inner_).Get(key, read, call, [&](Answer&& given) { answer = std::move(given); });
  }
  queue_->EndRead(began);
  pass = GatePass();
  done(std::move(answer));
}

void WriteBehind::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Entries(ClosedStatus("get_many")));
  Entries out;
  out.entries.resize(keys.size());
  Keys rest;
  std::vector<size_t> places;
  std::vector<uint64_t> reads;
  for (size_t at = 0; at < keys.size(); ++at) {
    Pending::View view;
    uint64_t began = 0;
    if (queue_->Look(keys[at], &view, &began)) {
      out.entries[at] = EntryOf(keys[at], AnswerOf(view, Read::Whole(), call));
      continue;
    }
    rest.push_back(keys[at]);
    places.push_back(at);
    reads.push_back(began);
  }
  if (rest.empty()) {
    out.Summarise(name(), "get_many");
    return done(std::move(out));
  }
  auto merge = [self = Ref<WriteBehind>(this), pass = std::move(pass), out = std::move(out),
                places = std::move(places), reads = std::move(reads),
                done = std::move(done)](Entries&& below) mutable {
    for (const uint64_t began : reads) self->queue_->EndRead(began);
    pass = GatePass();
    // A failure as a whole has no entries.
    if (below.entries.size() != places.size()) return done(std::move(below));
    for (size_t at = 0; at < places.size(); ++at) {
      out.entries[places[at]] = std::move(below.entries[at]);
    }
    out.Summarise(self->name(), "get_many");
    done(std::move(out));
  };
  if (call.wait == Wait::kNever && (inner_->caps() & kCapTry) == 0) {
    return merge(Entries(Status(Code::kWouldBlock)));
  }
  Below(*inner_).GetMany(std::move(rest), call, std::move(merge));
}

void WriteBehind::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Page(ClosedStatus("scan")));
  if ((inner_->caps() & kCapScan) == 0) return Below(*inner_).Scan(range, call, std::move(done));
  MakeRef<ScanPage>(Ref<Store>(this), std::move(pass), queue_, inner_, range, call, std::move(done))
      ->Run();
}

// ---- Writes ----

// Writes and flushes take no pass of the gate: those that wait must not keep a close from draining
// the queue. The queue itself answers what comes when it has ended.

Status WriteBehind::CheckWrite(const Key& key, const Ref<Value>* value, int64_t expires_at_ms,
                               const Call& call) const {
  const char* operation = value ? "put" : "del";
  if (call.ack == Ack::kJournaled) {
    return Fail(Code::kUnsupported, operation, "there is no journal to acknowledge from")
        .Hint("ack=delivered waits until the store below has the write");
  }
  const Limits limits = inner_->limits();
  if (key.bytes.empty() || key.bytes.size() > limits.max_key_size) {
    return Fail(Code::kInvalid, operation,
                "a key of " + std::to_string(key.bytes.size()) +
                    " bytes; the store below takes 1 to " + std::to_string(limits.max_key_size));
  }
  if (!value) return Code::kOk;
  const uint64_t size = (*value)->size();
  if (size > limits.max_value_size) {
    return Fail(Code::kTooLarge, operation,
                "a value of " + std::to_string(size) + " bytes; the store below takes " +
                    std::to_string(limits.max_value_size))
        .KeyIs(key.bytes);
  }
  if (settings_.overflow != Overflow::kThrough && key.bytes.size() + size > settings_.max_bytes) {
    return Fail(Code::kTooLarge, operation,
                "a value of " + std::to_string(size) + " bytes can never fit into the queue")
        .KeyIs(key.bytes)
        .Hint("raise max_bytes, or write such values through with overflow=through");
  }
  if (expires_at_ms != 0 && !limits.ttl) {
    return Fail(Code::kUnsupported, operation, "the store below knows no time to live")
        .KeyIs(key.bytes);
  }
  return Code::kOk;
}

void WriteBehind::Put(const Key& key, const Payload& payload, const Call& call,
                      Done<Receipt> done) noexcept {
  if (closed()) return done(Receipt(ClosedStatus("put")));
  // A back-fill brings what the stores below have, and changes caches only.
  if (call.Has(Call::kFill)) return done(Receipt(Code::kOk));
  Ref<Value> value;
  try {
    value = Keepable(payload);
  } catch (const std::bad_alloc&) {
    return done(Receipt(Fail(Code::kNoMemory, "put", "no memory for a copy of the value")));
  }
  Status wrong = CheckWrite(key, &value, payload.expires_at_ms(), call);
  if (!wrong.ok()) return done(Receipt(std::move(wrong)));
  if (const Code ended = call.Check(); ended != Code::kOk) {
    return done(Receipt(EndedStatus(ended, "put")));
  }
  queue_->Write(key, std::move(value), payload.expires_at_ms(), call, std::move(done));
}

void WriteBehind::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (closed()) return done(Receipt(ClosedStatus("del")));
  if (call.Has(Call::kFill)) return done(Receipt(Code::kOk));
  Status wrong = CheckWrite(key, nullptr, 0, call);
  if (!wrong.ok()) return done(Receipt(std::move(wrong)));
  if (const Code ended = call.Check(); ended != Code::kOk) {
    return done(Receipt(EndedStatus(ended, "del")));
  }
  queue_->Write(key, nullptr, 0, call, std::move(done));
}

void WriteBehind::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (batch->ops.empty()) return done(Entries());
  if (call.wait == Wait::kHere) {
    Entries out;
    const Code ended = Await<Entries>(call, &out, [&](Done<Entries> then) {
      Write(batch, call.With(Wait::kLater), std::move(then));
    });
    if (ended != Code::kOk) out = Entries(EndedStatus(ended, "write"));
    return done(std::move(out));
  }
  auto state = MakeRef<BatchState>();
  state->done = std::move(done);
  {
    MutexLock lock(state->mutex);
    state->missing = batch->ops.size();
    state->out.entries.resize(batch->ops.size());
  }
  // All at once: what must wait keeps its order by key, and one delivery waits for no other.
  for (size_t at = 0; at < batch->ops.size(); ++at) {
    const Batch::Op& op = batch->ops[at];
    auto answered = [self = Ref<WriteBehind>(this), state, batch, at](Receipt&& receipt) {
      Entries out;
      {
        MutexLock lock(state->mutex);
        Entry& entry = state->out.entries[at];
        entry.status = std::move(receipt.status);
        entry.flags = receipt.flags;
        entry.meta = receipt.meta;
        if (--state->missing != 0) return;
        out = std::move(state->out);
      }
      out.Summarise(self->name(), "write");
      state->done(std::move(out));
    };
    if (op.value)
      Put(op.key, Payload(op.value, op.expires_at_ms), call, std::move(answered));
    else
      Del(op.key, call, std::move(answered));
  }
}

// ---- Drain ----

void WriteBehind::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  if (closed()) return done(ClosedStatus("flush"));
  if (const Code ended = call.Check(); ended != Code::kOk) return done(EndedStatus(ended, "flush"));
  queue_->Flush(prefix, call, std::move(done));
}

void WriteBehind::CloseSelf(const Call& call, Done<Status> done) noexcept {
  queue_->Close(call, std::move(done));
}

}  // namespace behind
}  // namespace chainstore
