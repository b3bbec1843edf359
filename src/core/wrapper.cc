#include "core/wrapper.h"

namespace chainstore {

Wrapper::Wrapper(std::string name, Ref<Store> inner)
    : Store(std::move(name), inner->runtime_ref()), inner_(std::move(inner)) {
  Adopt(*inner_);
}

void Wrapper::Get(const Key& key, const Read& read, const Call& call, Done<Answer> done) noexcept {
  if (Enter("get", call, &done)) wrapped().Get(key, read, call, std::move(done));
}

void Wrapper::Put(const Key& key, const Payload& payload, const Call& call,
                  Done<Receipt> done) noexcept {
  if (Enter("put", call, &done)) wrapped().Put(key, payload, call, std::move(done));
}

void Wrapper::Del(const Key& key, const Call& call, Done<Receipt> done) noexcept {
  if (Enter("del", call, &done)) wrapped().Del(key, call, std::move(done));
}

void Wrapper::GetMany(Keys keys, const Call& call, Done<Entries> done) noexcept {
  if (Enter("get_many", call, &done)) wrapped().GetMany(std::move(keys), call, std::move(done));
}

void Wrapper::Write(Ref<const Batch> batch, const Call& call, Done<Entries> done) noexcept {
  if (Enter("write", call, &done)) wrapped().Write(std::move(batch), call, std::move(done));
}

void Wrapper::Scan(const Range& range, const Call& call, Done<Page> done) noexcept {
  if (Enter("scan", call, &done)) wrapped().Scan(range, call, std::move(done));
}

void Wrapper::Flush(Bytes prefix, const Call& call, Done<Status> done) noexcept {
  if (Enter("flush", call, &done)) wrapped().Flush(prefix, call, std::move(done));
}

}  // namespace chainstore
