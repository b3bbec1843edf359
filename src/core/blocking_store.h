// BlockingStore: a Store whose engine is synchronous (files, LevelDB, LMDB). A subclass writes the
// ...Here functions; this class answers the three kinds of waiting with them:
//   kNever  kWouldBlock: what an engine needs for an answer may be on disk
//   kHere   on the caller's thread
//   kLater  on a worker of the slow lane
// It holds the gate while an operation runs, looks at the deadline before it starts, and lets
// writes of one key in one at a time, in the order in which they were started.
// Thread safety: as Store. The ...Here functions are called from any thread, several at once, but
// never for two writes of one key at the same time.
#pragma once

#include "core/key_slots.h"
#include "core/store.h"

namespace chainstore {

class BlockingStore : public Store {
 public:
  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept override;
  void Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;

 protected:
  BlockingStore(std::string name, Ref<Runtime> runtime)
      : Store(std::move(name), runtime), slots_(std::move(runtime)) {}

  virtual Answer GetHere(const Key& key, const Read& read, const Call& call) noexcept = 0;
  // kIfAbsent of the call is the engine's to honour: it holds the key's slot.
  virtual Receipt PutHere(const Key& key, const Payload& payload, const Call& call) noexcept = 0;
  virtual Receipt DelHere(const Key& key, const Call& call) noexcept = 0;
  virtual Entries GetManyHere(const Keys& keys, const Call& call) noexcept;
  virtual Entries WriteHere(const Batch& batch, const Call& call) noexcept;
  virtual Page ScanHere(const Range& range, const Call& call) noexcept;
  virtual Status FlushHere(Bytes prefix, const Call& call) noexcept;
  virtual Status CloseHere(const Call& call) noexcept = 0;

  void CloseSelf(const Call& call, Done<Status> done) noexcept final;

  // Runs `work` (returns T) as the call's wait asks: what every operation above is made of.
  // `work` must own what it needs unless the wait is kHere.
  template <class T, class Work>
  void Run(const char* operation, const Call& call, Done<T> done, Work work) noexcept;

 private:
  // One write of a key on the caller's thread.
  template <class Work>
  void ChangeHere(const char* operation, const Key& key, const Call& call, Done<Receipt> done,
                  Work work) noexcept;

  KeySlots slots_;
};

}  // namespace chainstore
