#include "managers/lru/lru_store.h"

#include <algorithm>

#include "managers/lru/checker.h"
#include "managers/lru/evictor.h"
#include "managers/lru/lru.h"
#include "managers/lru/write_op.h"

namespace chainstore {
namespace {

// A store's log of recency must be found again when its directory has another name or place: what
// of the store's name is not the directory tells the stores of one directory apart.
std::string NameWithin(const std::string& name, const std::string& directory) {
  std::string within = name;
  if (const size_t at = within.find(directory); at != std::string::npos) {
    within.erase(at, directory.size());
  }
  return within;
}

}  // namespace

LruStore::LruStore(Ref<Store> inner, const LruSettings& settings, Ref<Runtime> runtime)
    : Store("lru", std::move(runtime)),
      inner_(std::move(inner)),
      settings_(settings),
      tries_(inner_->caps() & kCapTry),
      cushion_percent_(settings.cushion_percent),
      ledger_(settings.shards, runtime_ref(), settings.policy),
      budget_(*inner_, ledger_, runtime_ref(), settings.max_bytes),
      loader_(std::make_unique<Loader>(*this)) {
  const std::string directory = inner_->directory();
  if (!directory.empty()) {
    recency_ = std::make_unique<RecencyKeeper>(
        *this, directory, NameWithin(inner_->name(), directory), settings.recency_interval_ms);
  }
  Adopt(*inner_);
}

LruStore::~LruStore() = default;

void LruStore::Start() { loader_->Start(); }

Limits LruStore::limits() const noexcept {
  Limits limits = inner_->limits();
  // Passed by, a large copy must not keep a chain from writing it to the stores below.
  if (!settings_.bypass)
    limits.max_value_size = std::min(limits.max_value_size, budget_.max_bytes());
  return limits;
}

uint64_t LruStore::CostOf(size_t key_size, uint64_t value_size) const noexcept {
  return std::clamp<uint64_t>(inner_->EntryCost(key_size, value_size), 1, Budget::kMaxBytes);
}

bool LruStore::Oversize(size_t key_size, uint64_t value_size) const noexcept {
  return value_size > inner_->limits().max_value_size ||
         CostOf(key_size, value_size) > budget_.max_bytes();
}

uint64_t LruStore::CushionedBytes() const noexcept {
  const uint64_t max = budget_.max_bytes();
  return max - max / 100 * cushion_percent_.load(std::memory_order_relaxed);
}

// ---- Reads ----

void LruStore::Noticed(const Key& key, bool is_use, const Status& status,
                       const Call& call) noexcept {
  if (status.ok()) {
    if (is_use) Used(key);
  } else if (status.Is(Code::kNotFound) && !call.Has(Call::kSpeculative)) {
    Missed(key);
  }
}

void LruStore::Used(const Key& key) noexcept {
  if (ledger_.Touch(key)) return;
  if (loader_->loading()) {
    loader_->Touched(key);
  } else {
    Check(key);  // written beside this store
  }
}

void LruStore::Missed(const Key& key) noexcept {
  // Deleted beside this store, or expired. While a write of it is under way, that one will tell.
  if (ledger_.MayHold(key) && ledger_.HoldsIdle(key)) Check(key);
}

void LruStore::NoteMiss(const Key& key) noexcept {
  Missed(key);
  inner_->NoteMiss(key);
}

void LruStore::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  if (closed()) return done(Answer(ClosedStatus("get")));
  const bool never = call.wait == Wait::kNever;
  if (never || tries_) {
    // A hit in memory: no gate, no allocation, nothing but the stamp.
    bool blocked = false;
    auto take = [this, &key, &read, &call, &done, &blocked](Answer&& answer) {
      if (answer.status.Is(Code::kWouldBlock)) {
        blocked = true;
        return;
      }
      Noticed(key, read.what != Read::What::kStat, answer.status, call);
      done(std::move(answer));
    };
    if (never) {
      Below(*inner_).Get(key, read, call, take);
    } else {
      Below(*inner_).Get(key, read, call.With(Wait::kNever), take);
    }
    if (!blocked) return;
    if (never) return done(Answer(Code::kWouldBlock));
  }
  GatePass pass(gate());
  if (!pass) return done(Answer(ClosedStatus("get")));
  if (call.wait == Wait::kHere) {
    return Below(*inner_).Get(key, read, call, [this, &key, &read, &call, &done](Answer&& answer) {
      Noticed(key, read.what != Read::What::kStat, answer.status, call);
      done(std::move(answer));
    });
  }
  const bool is_use = read.what != Read::What::kStat;
  Below(*inner_).Get(
      key, read, call,
      [this, self = Ref<LruStore>(this), pass = std::move(pass), owned = OwnedKey(key), is_use,
       call, done = std::move(done)](Answer&& answer) mutable {
        Noticed(owned, is_use, answer.status, call);
        done(std::move(answer));
      });
}

bool LruStore::GetHit(const Key& key, Hit* hit) noexcept {
  if (closed() || !Below(*inner_).GetHit(key, hit)) return false;
  Used(key);
  return true;
}

void LruStore::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Entries(ClosedStatus("get_many")));
  Below(*inner_).GetMany(std::move(keys), call,
                         [this, self = Ref<LruStore>(this), pass = std::move(pass), call,
                          done = std::move(done)](Entries&& entries) mutable {
                           for (const Entry& entry : entries.entries) {
                             Noticed(Key(entry.key), true, entry.status, call);
                           }
                           done(std::move(entries));
                         });
}

void LruStore::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Page(ClosedStatus("scan")));
  Below(*inner_).Scan(range, call,
                      [self = Ref<LruStore>(this), pass = std::move(pass),
                       done = std::move(done)](Page&& page) mutable { done(std::move(page)); });
}

// ---- Writes ----

void LruStore::Put(const Key& key, const Payload& payload, const Call& call,
                   Done<Receipt> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Receipt(ClosedStatus("put")));
  Held held;
  const bool direct = call.wait != Wait::kLater && !Oversize(key.bytes.size(), payload.size());
  const bool locked = direct && ledger_.TryLock(key, &held);
  const uint64_t cost = CostOf(key.bytes.size(), payload.size());
  if (!locked || !budget_.TryReserve(cost, false)) {
    return WriteOp::Put(*this, std::move(pass), key, payload, call, locked ? &held : nullptr,
                        std::move(done));
  }
  Below(*inner_).Put(key, payload, call, [this, &key, &held, &done, cost](Receipt&& receipt) {
    SettlePut(key, held, cost, receipt.status);
    done(std::move(receipt));
  });
}

void LruStore::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Receipt(ClosedStatus("del")));
  Held held;
  if (call.wait == Wait::kLater || !ledger_.TryLock(key, &held)) {
    return WriteOp::Del(*this, std::move(pass), key, call, std::move(done));
  }
  Below(*inner_).Del(key, call, [this, &key, &held, &done](Receipt&& receipt) {
    SettleDel(key, held, receipt.status);
    done(std::move(receipt));
  });
}

void LruStore::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(Entries(ClosedStatus("write")));
  WriteOp::Write(*this, std::move(pass), std::move(batch), call, std::move(done));
}

void LruStore::SettlePut(const Key& key, const Held& held, uint64_t cost, const Status& status) {
  const bool unsure = !status.ok() && !LeftNothing(status.code());
  Outcome outcome = Outcome::kUnchanged;
  uint64_t costs = cost;
  if (status.ok()) {
    outcome = Outcome::kWritten;
  } else if (unsure) {
    // It may be there or not: it counts as the larger of what it was and what it would be.
    outcome = Outcome::kPresent;
    costs = std::max(cost, held.cost);
  }
  ledger_.Count(held, outcome, costs);
  budget_.Release(cost);
  ledger_.Free(held, outcome, costs);
  budget_.Notify();
  // After a timeout the write may yet land: only later reads and evictions can tell.
  const bool may_land = status.Is(Code::kTimeout) || status.Is(Code::kCancelled);
  const bool unknown = !held.present && (loader_->loading() || status.Is(Code::kExists));
  if ((unsure && !may_land) || (!status.ok() && unknown)) Check(key);
}

void LruStore::SettleDel(const Key& key, const Held& held, const Status& status) {
  ledger_.Unlock(held, status.ok() ? Outcome::kAbsent : Outcome::kUnchanged);
  budget_.Notify();
  const bool unsure = !status.ok() && !LeftNothing(status.code());
  const bool unknown = !status.ok() && !held.present && loader_->loading();
  if (unsure || unknown) Check(key);
}

void LruStore::Check(const Key& key) {
  if (checks_.fetch_add(1, std::memory_order_relaxed) < Checker::kMaxAtOnce) {
    GatePass pass(gate());
    if (pass) {
      // Never on this stack: whoever is in the middle of something need not wait for it.
      auto checker = MakeRef<Checker>(*this, std::move(pass), key);
      runtime().Post(Lane::kFast, [checker = std::move(checker)] { checker->Run(); });
      return;
    }
  }
  checks_.fetch_sub(1, std::memory_order_relaxed);
}

// ---- Evictions ----

void LruStore::SettleEviction(const Held& held, const Status& status) {
  if (status.ok()) {
    ledger_.Unlock(held, Outcome::kAbsent);
    eviction_fails_.store(false, std::memory_order_relaxed);
  } else if (!status.failed()) {
    ledger_.Unlock(held, Outcome::kUnchanged);
  } else {
    // To the end of the queue: one entry that cannot be deleted must not keep all others in.
    ledger_.Unlock(held, Outcome::kWritten, held.cost);
    const bool is_callers = status.Is(Code::kTimeout) || status.Is(Code::kCancelled);
    if (!is_callers && !status.Is(Code::kClosed) && !eviction_fails_.exchange(true)) {
      Report(Fail(status.code(), "evict", "the inner store fails to delete what should go")
                 .Cause(status));
    }
  }
  budget_.Notify();
}

void LruStore::StartEvictor() {
  if (budget_.Excess(CushionedBytes()) == 0) return;
  if (evicting_.load(std::memory_order_relaxed) || evicting_.exchange(true)) return;
  runtime().Post(Lane::kSlow, [evictor = MakeRef<Evictor>(*this)] { evictor->Run(); });
}

// ---- The rest ----

void LruStore::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  GatePass pass(gate());
  if (!pass) return done(ClosedStatus("flush"));
  if (!recency_ || call.wait == Wait::kNever) {
    return Below(*inner_).Flush(
        prefix, call,
        [self = Ref<LruStore>(this), pass = std::move(pass),
         done = std::move(done)](Status&& status) mutable { done(std::move(status)); });
  }
  if (call.wait == Wait::kHere) {
    recency_->Save(false);
    return Below(*inner_).Flush(prefix, call, std::move(done));
  }
  runtime().Post(Lane::kSlow, [this, self = Ref<LruStore>(this), pass = std::move(pass),
                               prefix = std::string(prefix), call,
                               done = std::move(done)]() mutable {
    recency_->Save(false);
    Below(*inner_).Flush(prefix, call,
                         [self = std::move(self), pass = std::move(pass), done = std::move(done)](
                             Status&& status) mutable { done(std::move(status)); });
  });
}

Status LruStore::Set(std::string_view option, std::string_view value) {
  if (closed()) return ClosedStatus("set");
  if (option == "max_bytes") {
    const Result<uint64_t> size = ParseSize(value);
    if (!size.ok()) return Fail(Code::kInvalid, "set", size.status().error()->message());
    if (*size == 0) return Fail(Code::kInvalid, "set", "a capacity of 0 bytes holds nothing");
    budget_.set_max_bytes(*size);
    budget_.Notify();
    return ShrinkToFit();
  }
  if (option == "cushion") {
    uint64_t percent = 0;
    const Status status = ParseOption(kLruOptions[1], value, &percent);
    if (!status.ok()) return Fail(Code::kInvalid, "set", status.error()->message());
    cushion_percent_.store(static_cast<uint32_t>(percent), std::memory_order_relaxed);
    return Code::kOk;
  }
  return Fail(Code::kInvalid, "set",
              "option '" + std::string(option.substr(0, 64)) +
                  "' cannot be changed while the store is open; max_bytes and cushion can");
}

Status LruStore::ShrinkToFit() {
  const GatePass pass(gate());
  if (!pass) return ClosedStatus("set");
  Call call;
  uint32_t failures = 0;
  Status last;
  while (failures < 8) {
    const uint64_t epoch = budget_.Epoch();
    if (budget_.Excess(budget_.max_bytes()) == 0) return Code::kOk;
    const bool began =
        EvictSome(*this, call, budget_.Excess(budget_.max_bytes()), [&](Status&& status) {
          failures = status.ok() ? 0 : failures + 1;
          last = std::move(status);
        });
    if (began) continue;
    if (Ledger::Working(ledger_.Work()) == 0) break;
    // What others work on becomes evictable, or is gone.
    budget_.Wait(epoch, call, [](Status&&) {});
  }
  // What is not counted yet goes as soon as it is.
  if (loader_->loading()) return Code::kOk;
  return Fail(Code::kNoSpace, "set", "the store cannot be made as small as the new capacity")
      .Cause(last);
}

void LruStore::CloseSelf(const Call&, Done<Status> done) noexcept {
  if (!recency_) return done(Status());
  recency_->Stop();
  // On a worker: this is the stack of whoever left the gate last.
  runtime().Post(Lane::kSlow, [this, self = Ref<LruStore>(this), done = std::move(done)]() mutable {
    recency_->Close();
    done(Status());
  });
}

// ---- Construction ----

Result<Ref<Store>> NewLru(Ref<Store> inner, uint64_t max_bytes, const Options* options) {
  Result<OptionValues> values = OptionValues::Parse("lru", kLruOptions, options);
  if (!values.ok()) return values.status();
  if (max_bytes == 0) {
    return Failure(Code::kInvalid, "a capacity of 0 bytes holds nothing").Store("lru").Op("open");
  }
  uint64_t shards = values->Number("shards");
  if (shards > 256 || (shards & (shards - 1)) != 0) {
    return Failure(Code::kInvalid, "option 'shards': must be a power of two, at most 256")
        .Store("lru");
  }
  // Small, a store is better off with the exact order; large, with locks that do not meet.
  constexpr uint64_t kLarge = uint64_t{16} << 20;
  if (shards == 0) shards = max_bytes >= kLarge ? 16 : 1;
  const LruSettings settings = {
      .max_bytes = max_bytes,
      .cushion_percent = static_cast<uint32_t>(values->Number("cushion")),
      .bypass = values->Text("oversize") == "bypass",
      .shards = static_cast<uint32_t>(shards),
      .policy = values->Text("policy") == "s3fifo" ? PolicyKind::kS3Fifo : PolicyKind::kLru,
      .recency_interval_ms = values->Number("recency_interval"),
  };
  Ref<Runtime> runtime = RuntimeFor(options, inner.get());
  auto store = MakeRef<LruStore>(std::move(inner), settings, std::move(runtime));
  store->SetRecipe({"lru", {{"max_bytes", FormatSize(max_bytes)}}, kLruOptions, options});
  store->Start();
  return Ref<Store>(std::move(store));
}

}  // namespace chainstore
