#include "capi/custom_store.h"

#include <utility>

#include "capi/calling_out.h"
#include "capi/error.h"

namespace chainstore {
namespace {

Answer ToAnswer(Outcome&& outcome) {
  Answer answer(std::move(outcome.status));
  answer.flags = outcome.flags;
  answer.tier = outcome.tier;
  answer.meta = outcome.meta;
  answer.value = std::move(outcome.value);
  return answer;
}

Done<Outcome> ForReceipt(Done<Receipt> done) {
  return Done<Outcome>([done = std::move(done)](Outcome&& outcome) mutable {
    Receipt receipt(std::move(outcome.status));
    receipt.flags = outcome.flags;
    receipt.meta = outcome.meta;
    done(std::move(receipt));
  });
}

Page ToPage(Outcome&& outcome) {
  Page page(std::move(outcome.status));
  page.entries = std::move(outcome.entries);
  page.more = outcome.more;
  return page;
}

// The first key that may follow `key`; itself if none can.
std::string FirstBeyond(const std::string& key) {
  if (key.size() < kMaxKeySize) return key + '\0';
  std::string next = PrefixEnd(key);  // a longer key there is not
  return next.empty() ? key : next;
}

}  // namespace

CustomStore::CustomStore(std::string name, const cs_store_ops& ops, void* context,
                         std::vector<Ref<Store>> inner, Ref<Runtime> runtime)
    : Store(std::move(name), std::move(runtime)),
      ops_(ops),
      context_(context),
      inner_(std::move(inner)) {
  for (const Ref<Store>& store : inner_) Adopt(*store);
}

CustomStore::~CustomStore() {
  if (!ops_.release) return;
  CallingOut mark;
  ops_.release(context_);
}

uint32_t CustomStore::caps() const noexcept {
  uint32_t caps = ops_.caps | kCapRemote;
  for (const Ref<Store>& store : inner_) caps |= store->caps() & (kCapLoop | kCapBehind);
  return caps;
}

Limits CustomStore::limits() const noexcept {
  Limits limits;
  limits.ttl = (ops_.caps & kCapTtl) != 0;
  return limits;
}

Store* CustomStore::inner(size_t index) const noexcept {
  return index < inner_.size() ? inner_[index].get() : nullptr;
}

uint32_t CustomStore::tier_count() const noexcept {
  uint32_t count = 0;
  for (const Ref<Store>& store : inner_) count += store->tier_count();
  return count == 0 ? 1 : count;
}

bool CustomStore::FindInner(const Store* to, uint32_t* tiers_before) const noexcept {
  *tiers_before = 0;
  for (const Ref<Store>& store : inner_) {
    if (store.get() == to) return true;
    *tiers_before += store->tier_count();
  }
  return false;
}

void CustomStore::Ask(Asked asked, Done<Outcome> done) noexcept {
  const char* const operation = OperationName(asked.op);
  if (asked.call.wait == Wait::kNever && (ops_.caps & kCapTry) == 0) {
    return done(Outcome{Code::kWouldBlock});
  }
  GatePass pass(gate());
  if (!pass) return done(Outcome{ClosedStatus(operation)});
  if (const Code ended = asked.call.Check(runtime().clock()); ended != Code::kOk) {
    return done(Outcome{EndedStatus(ended, operation)});
  }
  MakeRef<cs_request>(this, std::move(asked), std::move(pass), std::move(done))->Run();
}

void CustomStore::Get(const Key& key, const Read& read, const Call& call,
                      Done<Answer> done) noexcept {
  if (read.what == Read::What::kRange && (ops_.caps & kCapRange) == 0) {
    return GetWhole(key, read, call, std::move(done));
  }
  Asked asked{.op = CS_OP_GET, .key = OwnedKey(key), .read = read, .call = call};
  if (read.what == Read::What::kRange) asked.op = CS_OP_GET_RANGE;
  if (read.what != Read::What::kStat) {
    return Ask(std::move(asked), Done<Outcome>([done = std::move(done)](Outcome&& got) mutable {
                 done(ToAnswer(std::move(got)));
               }));
  }
  asked.op = CS_OP_STAT;
  Ask(std::move(asked), Done<Outcome>([this, self = Ref<Store>(this), owned = OwnedKey(key), call,
                                       done = std::move(done)](Outcome&& got) mutable {
        if (!got.status.Is(Code::kUnsupported)) return done(ToAnswer(std::move(got)));
        GetWhole(owned, Read::Stat(), call, std::move(done));
      }));
}

void CustomStore::GetWhole(const Key& key, const Read& read, const Call& call,
                           Done<Answer> done) noexcept {
  Asked asked{.op = CS_OP_GET, .key = OwnedKey(key), .call = call};
  Ask(std::move(asked), Done<Outcome>([read, done = std::move(done)](Outcome&& got) mutable {
        if (got.value && read.what == Read::What::kStat) got.value = nullptr;
        if (got.value) {
          const size_t total = got.value->size();
          got.value = Value::Slice(std::move(got.value), read.Offset(total), read.Length(total));
        }
        done(ToAnswer(std::move(got)));
      }));
}

void CustomStore::Put(const Key& key, const Payload& payload, const Call& call,
                      Done<Receipt> done) noexcept {
  if (payload.expires_at_ms() != 0 && (ops_.caps & kCapTtl) == 0) {
    return done(Receipt(Status(Fail(Code::kUnsupported, "put", "this store keeps no ttl"))));
  }
  Asked asked{.op = CS_OP_PUT, .key = OwnedKey(key), .call = call};
  asked.value = payload.Share();
  asked.expires_at_ms = payload.expires_at_ms();
  Ask(std::move(asked), ForReceipt(std::move(done)));
}

void CustomStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  Ask({.op = CS_OP_DEL, .key = OwnedKey(key), .call = call}, ForReceipt(std::move(done)));
}

void CustomStore::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  if ((ops_.caps & kCapScan) == 0) return Store::Scan(range, call, std::move(done));
  Asked asked{.op = CS_OP_SCAN, .key = OwnedKey(), .call = call};
  asked.range = range;
  // What is beyond the last page is a narrower range: the user sees no third bound.
  if (range.has_after && range.reverse) {
    asked.range.end = range.after;
    asked.range.has_end = true;
  } else if (range.has_after) {
    asked.range.start = FirstBeyond(range.after);
  }
  Ask(std::move(asked), Done<Outcome>([done = std::move(done)](Outcome&& got) mutable {
        done(ToPage(std::move(got)));
      }));
}

void CustomStore::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  Asked asked{.op = CS_OP_FLUSH, .key = OwnedKey(Key(prefix)), .call = call};
  Ask(std::move(asked), Done<Outcome>([this, self = Ref<Store>(this), prefix = std::string(prefix),
                                       call, done = std::move(done)](Outcome&& got) mutable {
        if (!got.status.ok() && !got.status.Is(Code::kUnsupported)) {
          return done(std::move(got.status));
        }
        Store::Flush(prefix, call, std::move(done));
      }));
}

void CustomStore::CloseSelf(const Call& call, Done<Status> done) noexcept {
  // On a worker: this is the stack of whoever left the gate last.
  runtime().Post(
      Lane::kSlow, [this, self = Ref<Store>(this), call, done = std::move(done)]() mutable {
        Asked asked{.op = CS_OP_CLOSE, .key = OwnedKey(), .call = call.With(Wait::kLater)};
        auto closed = Done<Outcome>([done = std::move(done)](Outcome&& got) mutable {
          done(got.status.Is(Code::kUnsupported) ? Status() : std::move(got.status));
        });
        MakeRef<cs_request>(this, std::move(asked), GatePass(), std::move(closed))->Run();
      });
}

void CustomStore::Retire(Ref<cs_request> ended) noexcept {
  Ref<cs_request> oldest;  // goes outside the lock
  MutexLock lock(mutex_);
  retired_.push_back(std::move(ended));
  if (retired_.size() <= kRetired) return;
  oldest = std::move(retired_.front());
  retired_.pop_front();
  lock.Unlock();
}

}  // namespace chainstore
