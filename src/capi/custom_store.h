// CustomStore: a store that is the user's function (cs_custom_new). What he cannot do is made of
// what he can, or refused.
// Thread safety: as Store.
#pragma once

#include <deque>

#include "capi/custom_request.h"
#include "core/store.h"

namespace chainstore {

class CustomStore final : public Store {
 public:
  CustomStore(std::string name, const cs_store_ops& ops, void* context,
              std::vector<Ref<Store>> inner, Ref<Runtime> runtime);
  ~CustomStore() override;

  uint32_t caps() const noexcept override;
  Limits limits() const noexcept override;
  Store* inner(size_t index) const noexcept override;
  uint32_t tier_count() const noexcept override;

  void Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept override;
  void Put(const Key& key, const Payload& payload, const Call& call,
           Done<Receipt> done) noexcept override;
  void Del(const Key& key, const Call& call, Done<Receipt> done) noexcept override;
  void Scan(const Range& range, const Call& call, Done<Page> done) noexcept override;
  void Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept override;

  // ---- For its requests ----
  void Submit(cs_request* request) const noexcept { ops_.submit(context_, request); }
  void Retire(Ref<cs_request> ended) noexcept CS_EXCLUDES(mutex_);
  // Where `to` stands among the inner stores, as the tiers before it; false: it is none of them.
  bool FindInner(const Store* to, uint32_t* tiers_before) const noexcept;
  using Store::EndedStatus;
  using Store::Fail;

 private:
  void CloseSelf(const Call& call, Done<Status> done) noexcept override;
  // `asked.call` says how. Answers kClosed, kWouldBlock and an ended call without asking the user.
  void Ask(Asked asked, Done<Outcome> done) noexcept;
  // A part of an entry, or what is known of it, from the whole of it.
  void GetWhole(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept;

  static constexpr size_t kRetired = 256;
  const cs_store_ops ops_;
  void* const context_;
  const std::vector<Ref<Store>> inner_;
  Mutex mutex_;
  std::deque<Ref<cs_request>> retired_ CS_GUARDED_BY(mutex_);
};

}  // namespace chainstore
