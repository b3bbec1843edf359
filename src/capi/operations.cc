#include "capi/operations.h"

namespace chainstore {

Status GetManyOperation::Check(const Store& store, const CallIn&) {
  if (count == 0) return Status();
  if (!packed || !key_sizes) return Invalid(&store, name, "the keys or their sizes are NULL");
  if (count > kMaxEntries) {
    return Failure(Code::kTooLarge, "more than " + std::to_string(kMaxEntries) + " keys in a call")
        .Store(store.name())
        .Op(name);
  }
  keys.reserve(count);
  const char* at = static_cast<const char*>(packed);
  for (size_t index = 0; index < count; ++index) {
    const size_t size = key_sizes[index];
    if (const char* wrong = CheckKey(at, size)) {
      return Failure(Code::kInvalid, "key " + std::to_string(index) + ": " + wrong)
          .Store(store.name())
          .Op(name);
    }
    keys.emplace_back(Key(BytesAt(at, size)));
    at += size;
  }
  return Status();
}

Status WriteOperation::Check(const Store& store, const CallIn& in) noexcept {
  if (!builder) return Invalid(&store, name, "the batch is NULL");
  if (in.call.Has(Call::kIfAbsent)) {
    try {
      return Failure(Code::kUnsupported, "a batch cannot be conditional")
          .Store(store.name())
          .Op(name)
          .Hint("CS_CALL_IF_ABSENT is for cs_put");
    } catch (...) {
      return OutOfMemory();
    }
  }
  return CheckWrite(store, name, in, &expires_at_ms);
}

void WriteOperation::Begin(Store& store, const Call& call, Done<Answer> done) noexcept {
  if (!batch || batch->ops.empty()) return done(Entries());
  for (Batch::Op& op : batch->ops) {
    if (op.value) op.expires_at_ms = expires_at_ms;
  }
  Front(store).Run({}, call, [&](const Below& below, const Call& call) {
    below.Write(batch, call, [batch = batch, done = std::move(done)](Entries&& entries) mutable {
      entries.batch = std::move(batch);
      done(std::move(entries));
    });
  });
}

}  // namespace chainstore
