#include "core/store.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "core/below.h"
#include "core/error_sink.h"
#include "core/limit.h"
#include "core/metric.h"
#include "core/order_domain.h"
#include "core/sequence.h"
#include "core/trace_sink.h"

namespace chainstore {

Store::Store(std::string name, Ref<Runtime> runtime)
    : name_(std::move(name)),
      runtime_(std::move(runtime)),
      traced_(TraceSink::InEnvironment()),
      error_sink_(std::make_unique<ErrorSink>(this)),
      trace_sink_(std::make_unique<TraceSink>(this)) {}

Store::~Store() {
  for (const Ref<Store>& inner : adopted_) inner->RemoveParent(this);
}

void Store::Adopt(Store& inner) {
  inner.AddParent(this);
  adopted_.push_back(Ref<Store>(&inner));
}

void Store::AddParent(Store* parent) {
  MutexLock lock(mutex_);
  parents_.push_back(parent);
  ++open_parents_;
}

void Store::RemoveParent(Store* parent) {
  MutexLock lock(mutex_);
  const auto found = std::find(parents_.begin(), parents_.end(), parent);
  assert(found != parents_.end());
  parents_.erase(found);
}

bool Store::DropOpenParent() {
  MutexLock lock(mutex_);
  assert(open_parents_ > 0);
  return --open_parents_ == 0;
}

std::vector<Ref<Store>> Store::Parents() const {
  std::vector<Ref<Store>> alive;
  MutexLock lock(mutex_);
  for (Store* parent : parents_) {
    if (parent->TryRef()) alive.push_back(Ref<Store>::Adopt(parent));
  }
  return alive;
}

std::string Store::directory() const {
  return adopted_.size() == 1 ? adopted_[0]->directory() : std::string();
}

uint64_t Store::EntryCost(size_t key_size, uint64_t value_size) const noexcept {
  return key_size + value_size;
}

void Store::Scan(const Range&, const Call&, Done<Page> done) noexcept {
  done(Page(Status(Fail(Code::kUnsupported, "scan", "this store cannot scan"))));
}

void Store::NoteMiss(const Key& key) noexcept {
  if (adopted_.size() == 1) adopted_[0]->NoteMiss(key);
}

void Store::CollectMetrics(MetricSet* out) const {
  uint64_t bytes = 0;
  if (inner(0) || closed() || !UsedBytes(&bytes)) return;
  out->Gauge("chainstore_used_bytes", "What a store takes.", {{"store", name()}}, bytes);
}

Status Store::Set(std::string_view option, std::string_view) {
  return Fail(Code::kInvalid, "set",
              "option '" + std::string(option) + "' cannot be changed while the store is open");
}

Failure Store::Fail(Code code, std::string_view operation, std::string what) const {
  Failure failure(code, std::move(what));
  failure.Store(name_).Op(operation);
  return failure;
}

Status Store::ClosedStatus(std::string_view operation) const {
  return Fail(Code::kClosed, operation, "the store is closed");
}

Status Store::EndedStatus(Code code, std::string_view operation) const {
  return chainstore::EndedStatus(code, name_, operation);
}

Recipe Store::recipe() const {
  MutexLock lock(mutex_);
  return recipe_;
}

void Store::SetRecipe(Recipe recipe) {
  MutexLock lock(mutex_);
  recipe_ = std::move(recipe);
}

void Store::NoteRecipe(Recipe::Value value) {
  MutexLock lock(mutex_);
  recipe_.Note(std::move(value));
}

// ---- Background failures ----

void Store::Report(const Status& failure) noexcept {
  // Breadth first over everything above, each store once: a store may be reached on two ways.
  std::vector<Ref<Store>> level = {Ref<Store>(this)};
  std::set<Store*> seen = {this};
  while (!level.empty()) {
    std::vector<Ref<Store>> next;
    for (const Ref<Store>& store : level) {
      store->error_sink_->Post(failure);
      for (Ref<Store>& parent : store->Parents()) {
        if (seen.insert(parent.get()).second) next.push_back(std::move(parent));
      }
    }
    level = std::move(next);
  }
}

Ref<OrderDomain> Store::order_domain() const {
  MutexLock lock(mutex_);
  return order_domain_;
}

Ref<OrderDomain> Store::AttachOrderDomain(Ref<OrderDomain> domain) {
  MutexLock lock(mutex_);
  if (!order_domain_) order_domain_ = std::move(domain);
  return order_domain_;
}

// ---- Defaults made of single operations ----

namespace {

struct ManyState final : RefCounted<ManyState> {
  Entries out;
  Done<Entries> done;
};

}  // namespace

void Store::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  auto state = MakeRef<ManyState>();
  state->done = std::move(done);
  state->out.entries.resize(keys.size());
  const size_t count = keys.size();
  auto all = std::make_shared<const Keys>(std::move(keys));
  RunSequence(
      count,
      [self = Ref<Store>(this), all, state, call](size_t at, UniqueFunction<void()> next) {
        const Key key = (*all)[at];
        self->Get(key, Read::Whole(), call,
                  [all, state, at, next = std::move(next)](Answer&& answer) mutable {
                    Entry& entry = state->out.entries[at];
                    entry.key = (*all)[at].bytes();
                    entry.status = std::move(answer.status);
                    entry.flags = answer.flags;
                    entry.meta = answer.meta;
                    entry.value = std::move(answer.value);
                    next();
                  });
      },
      [self = Ref<Store>(this), state, call] {
        if (call.wait == Wait::kNever) {
          // All or nothing: a part of the answer would leave a trace of the other one.
          for (const Entry& entry : state->out.entries) {
            if (entry.status.Is(Code::kWouldBlock)) {
              return state->done(Entries(Status(Code::kWouldBlock)));
            }
          }
        }
        state->out.Summarise(self->name(), "get_many");
        state->done(std::move(state->out));
      });
}

void Store::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  auto state = MakeRef<ManyState>();
  state->done = std::move(done);
  state->out.entries.resize(batch->ops.size());
  RunSequence(
      batch->ops.size(),
      [self = Ref<Store>(this), batch, state, call](size_t at, UniqueFunction<void()> next) {
        const Batch::Op& op = batch->ops[at];
        auto answered = [batch, state, at, next = std::move(next)](Receipt&& receipt) mutable {
          Entry& entry = state->out.entries[at];
          entry.status = std::move(receipt.status);
          entry.flags = receipt.flags;
          entry.meta = receipt.meta;
          next();
        };
        if (op.value) {
          self->Put(op.key, Payload(op.value, op.expires_at_ms), call, std::move(answered));
        } else {
          self->Del(op.key, call, std::move(answered));
        }
      },
      [self = Ref<Store>(this), state] {
        state->out.Summarise(self->name(), "write");
        state->done(std::move(state->out));
      });
}

void Store::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  if (adopted_.empty()) return done(Status());
  struct State final : RefCounted<State> {
    Status status;
    Done<Status> done;
  };
  auto state = MakeRef<State>();
  state->done = std::move(done);
  RunSequence(
      adopted_.size(),
      [self = Ref<Store>(this), prefix = std::string(prefix), state, call](
          size_t at, UniqueFunction<void()> next) {
        Below(*self->adopted_[at])
            .Flush(prefix, call, [state, next = std::move(next)](Status&& status) mutable {
              if (state->status.ok()) state->status = std::move(status);
              next();
            });
      },
      [state] { state->done(std::move(state->status)); });
}

// ---- Close ----

void Store::CloseSelf(const Call&, Done<Status> done) noexcept { done(Status()); }

void Store::Close(const Call& call, Done<Status> done) noexcept {
  {
    MutexLock lock(mutex_);
    if (!close_finished_) {
      close_waiters_.push_back(std::move(done));
    } else {
      const Status status = close_status_;
      lock.Unlock();
      return done(Status(status));
    }
  }
  CloseStoreOnly(call, [self = Ref<Store>(this), call](Status&& status) {
    self->CloseInner(call, 0, std::move(status));
  });
}

void Store::CloseStoreOnly(const Call& call, UniqueFunction<void(Status&&)> then) noexcept {
  gate_.Close([self = Ref<Store>(this), call, then = std::move(then)]() mutable {
    self->CloseSelf(call, Done<Status>(std::move(then)));
  });
}

void Store::CloseInner(const Call& call, size_t index, Status status) noexcept {
  while (index < adopted_.size()) {
    const Ref<Store> inner = adopted_[index++];
    if (!inner->DropOpenParent()) continue;
    return inner->Close(call, [self = Ref<Store>(this), call, index,
                               status = std::move(status)](Status&& ended) mutable {
      self->CloseInner(call, index, status.ok() ? std::move(ended) : std::move(status));
    });
  }
  FinishClose(std::move(status));
}

void Store::FinishClose(Status status) noexcept {
  std::vector<Done<Status>> waiters;
  {
    MutexLock lock(mutex_);
    close_finished_ = true;
    close_status_ = status;
    waiters.swap(close_waiters_);
  }
  for (Done<Status>& waiter : waiters) waiter(Status(status));
}

void Store::LetGo(Ref<Store> store) noexcept {
  Store* const last = store.Release();
  if (last->UnrefUnlessLast()) return;
  last->runtime().Post(Lane::kFast, [kept = Ref<Store>::Adopt(last)] {});
}

void Store::OnLastUnref() noexcept {
  if (runtime_->IsForked()) return;  // the parent's: leaked, never touched
  if (gate_.closed()) {
    delete this;
    return;
  }
  // Alive again, for the worker that closes it. The inner stores stay open: they have users of
  // their own, or end in the same way when this store lets go of them.
  abandoned_.store(true, std::memory_order_release);
  auto self = Ref<Store>(this);
  runtime_->Post(Lane::kSlow, [self = std::move(self)]() mutable {
    Call keep;
    keep.flags = Call::kKeep;
    Store* store = self.get();
    store->CloseStoreOnly(keep, [self = std::move(self)](Status&& status) {
      if (status.failed()) self->Report(status);
      for (const Ref<Store>& inner : self->adopted_) inner->DropOpenParent();
    });
  });
}

}  // namespace chainstore
