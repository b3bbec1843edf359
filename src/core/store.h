// Store: the one abstraction. Engines, managers, chains and the user's own stores are all a Store.
//
// How it is called. Each operation takes borrowed arguments, a Call, and a Done that runs exactly
// once: before the operation returns (under kNever and kHere always), or later from a library
// thread. Keys and payloads are borrowed until the operation returns; what needs them longer copies
// the key and calls Payload::Share. Operations are noexcept; failures are in the answer's Status,
// with an Error that names the store (name()) and the operation.
//
// Thread safety: every operation from any thread, all at once. A store calls nothing out (Done,
// release, inner store, Report) while it holds a lock.
//
// Life. Open -> Close (once; a second Close waits for the first) -> closed: every operation answers
// kClosed. Operations that may block hold a GatePass on gate(); Close waits for them, then runs
// CloseSelf, then closes the inner stores that no other open store wraps. A store whose last
// reference goes while it is open is closed by a worker, keeping what is durable (Call::kKeep).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/function.h"
#include "base/result.h"
#include "core/answer.h"
#include "core/call.h"
#include "core/gate.h"
#include "core/recipe.h"
#include "core/request.h"
#include "core/runtime.h"

namespace chainstore {

class ErrorSink;
class TraceSink;
class MetricSet;
class OrderDomain;

// The bits of cs_store_caps.
enum Cap : uint32_t {
  kCapOrdered = 1u << 0,      // scans in key order
  kCapAtomicBatch = 1u << 1,  // Write applies all or nothing
  kCapZeroCopy = 1u << 2,     // a get of a large value copies nothing
  kCapDurable = 1u << 3,      // an acknowledged write survives power loss
  kCapScan = 1u << 4,
  kCapRange = 1u << 5,  // a range reads only its part
  kCapTtl = 1u << 6,
  kCapTry = 1u << 7,   // may answer under kNever
  kCapLoop = 1u << 8,  // answers on one event loop
  // From here on internal.
  kCapRemote = 1u << 16,  // its trips leave the process: worth sharing (single flight)
  kCapBehind = 1u << 17,  // a write-behind is in it: a chain's stores before it are "above" it
};

// What a store accepts; a chain checks the limits of all its stores before it writes.
struct Limits {
  size_t max_key_size = kMaxKeySize;
  uint64_t max_value_size = UINT64_MAX;
  bool ttl = true;
};

class Store : public RefCounted<Store> {
 public:
  using Keys = std::vector<OwnedKey>;

  virtual ~Store();

  // ---- What it is ----
  // "lmdb:/dir", "lru", ...: names the store in errors. Never holds a secret.
  const std::string& name() const noexcept { return name_; }
  virtual uint32_t caps() const noexcept = 0;
  virtual Limits limits() const noexcept = 0;
  // The stores that it wraps, in order; null past the last.
  virtual Store* inner(size_t) const noexcept { return nullptr; }
  // How many stores below (itself included) hold data: what `tier` counts.
  virtual uint32_t tier_count() const noexcept { return 1; }
  // The directory that the store owns, or "" (its `.chainstore` folder is for marks and logs).
  // Default: that of the inner store if there is just one: what a manager keeps belongs there.
  virtual std::string directory() const;
  // What it was made with; empty of what text cannot make. Set by whoever made it, before anybody
  // else has it.
  Recipe recipe() const;
  void SetRecipe(Recipe recipe);
  // A value of the recipe is another one now: an option was changed (Set), or is known in the form
  // in which it was written.
  void NoteRecipe(Recipe::Value value);
  Runtime& runtime() const noexcept { return *runtime_; }
  const Ref<Runtime>& runtime_ref() const noexcept { return runtime_; }

  // ---- Space, for an LRU around it ----
  // At most what an entry of these sizes adds to UsedBytes.
  virtual uint64_t EntryCost(size_t key_size, uint64_t value_size) const noexcept;
  // What the store takes now, in the terms of EntryCost; false: it does not know.
  virtual bool UsedBytes(uint64_t*) const noexcept { return false; }

  // ---- Operations ----
  virtual void Get(const Key& key, const Read& read, const Call& call,
                   Done<Answer> done) noexcept = 0;
  // A get of the whole value with nothing set in its call, as far as it is a hit at hand: it
  // neither waits nor calls anything out. False: *hit is as it was, nothing was done; Get tells
  // why. Default: false. An override answers as its Get would; who adds to a get what this has no
  // room for (a line in a log, a fault) leaves it.
  virtual bool GetHit(const Key&, Hit*) noexcept { return false; }
  virtual void Put(const Key& key, const Payload& payload, const Call& call,
                   Done<Receipt> done) noexcept = 0;
  // OK also if there was nothing to delete.
  virtual void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept = 0;
  // One entry per key, in the order asked. Default: one Get each.
  virtual void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept;
  // One entry per op, in their order; its key may be left out, the batch has it. Default: one Put
  // or Del each, in order (not atomic).
  virtual void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept;
  // Default: kUnsupported.
  virtual void Scan(const Range& range, const Call& call, Done<Page> done) noexcept;
  // Completes when what was acknowledged before it, below the prefix, is as durable as this store
  // makes it (and, behind a queue, delivered). Default: flushes the inner stores, else OK.
  virtual void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept;
  // A miss under kSpeculative that turned out to count (see Call). Default: tells the inner store
  // if there is just one.
  virtual void NoteMiss(const Key& key) noexcept;
  // Adds this store's own numbers to a snapshot (cs_metrics_text); must not block. Default: what a
  // store that holds data takes, if it knows.
  virtual void CollectMetrics(MetricSet* out) const;
  // Changes an option while running (cs_store_set). Default: kInvalid, none can be changed.
  virtual Status Set(std::string_view option, std::string_view value);

  // May complete on another thread under every kind of wait: it waits for the calls of others.
  void Close(const Call& call, Done<Status> done) noexcept;
  bool closed() const noexcept { return gate_.closed(); }
  // Closed, or about to be: its last user has let go of it.
  bool ending() const noexcept { return closed() || abandoned_.load(std::memory_order_acquire); }
  Gate& gate() noexcept { return gate_; }
  // Fires when a close is given up (its time is up, its token fired): the calls that it waited for
  // end with it.
  const Ref<CancelToken>& closing_token() const noexcept { return closing_token_; }

  // ---- Background failures ----
  // To the error handlers of this store and of every store that wraps it, once each, on a library
  // thread. Called on a change of state, never for a success.
  void Report(const Status& failure) noexcept;
  ErrorSink& error_sink() noexcept { return *error_sink_; }

  // ---- Traces of the operations that callers ask of this store ----
  bool traced() const noexcept { return traced_.load(std::memory_order_relaxed); }
  void SetTraced(bool traced) noexcept { traced_.store(traced, std::memory_order_relaxed); }
  TraceSink& trace_sink() noexcept { return *trace_sink_; }

  // Order of writes, generations and bars of the chains that hold this store as a link; null until
  // the first chain attaches one. See chain/order_domain.h.
  Ref<OrderDomain> order_domain() const;
  // Attaches `domain` unless another one came first; returns the one that is attached.
  Ref<OrderDomain> AttachOrderDomain(Ref<OrderDomain> domain);

  // Hands itself to a worker if it is still open: destruction never blocks the last user.
  void OnLastUnref() noexcept;
  // Gives a reference up on a thread that others wait for: if it is the last one, what goes with
  // the store goes on a worker.
  static void LetGo(Ref<Store> store) noexcept;

 protected:
  Store(std::string name, Ref<Runtime> runtime);
  // Called by a constructor for each store that it wraps; takes a reference.
  void Adopt(Store& inner);
  // After the gate has drained, before the inner stores close. Must not use the gate.
  virtual void CloseSelf(const Call& call, Done<Status> done) noexcept;

  // kClosed, with this store's name.
  Status ClosedStatus(std::string_view operation) const;
  // EndedStatus with this store's name.
  Status EndedStatus(Code code, std::string_view operation) const;
  Failure Fail(Code code, std::string_view operation, std::string what) const;

 private:
  friend class ErrorSink;
  // Drains the gate and runs CloseSelf; `then` is dropped if that was begun before.
  void CloseStoreOnly(const Call& call, UniqueFunction<void(Status&&)> then) noexcept;
  void CloseInner(const Call& call, size_t index, Status status) noexcept;
  void FinishClose(Status status) noexcept;
  void AddParent(Store* parent);
  void RemoveParent(Store* parent);
  // True: no open store wraps this one any more.
  bool DropOpenParent();
  // The parents that are still there, each with a reference.
  std::vector<Ref<Store>> Parents() const;

  const std::string name_;
  const Ref<Runtime> runtime_;
  Gate gate_;
  const Ref<CancelToken> closing_token_ = MakeRef<CancelToken>();
  std::atomic<bool> abandoned_{false};
  std::atomic<bool> traced_;
  const std::unique_ptr<ErrorSink> error_sink_;
  const std::unique_ptr<TraceSink> trace_sink_;
  std::vector<Ref<Store>> adopted_;  // held here: a subclass lets go of its own references first

  mutable Mutex mutex_;
  std::vector<Store*> parents_ CS_GUARDED_BY(mutex_);
  uint32_t open_parents_ CS_GUARDED_BY(mutex_) = 0;
  Ref<OrderDomain> order_domain_ CS_GUARDED_BY(mutex_);
  Recipe recipe_ CS_GUARDED_BY(mutex_);
  bool close_finished_ CS_GUARDED_BY(mutex_) = false;
  Status close_status_ CS_GUARDED_BY(mutex_);
  std::vector<Done<Status>> close_waiters_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
