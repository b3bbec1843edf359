#include "managers/write_behind/op.h"

#include "managers/write_behind/queue.h"

namespace chainstore::behind {

Op::Op(Ref<Queue> queue, const Key& key, Ref<Value> value, int64_t expires_at_ms, const Call& call,
       Done<Receipt> done)
    : queue(std::move(queue)),
      key(key),
      value(std::move(value)),
      expires_at_ms(expires_at_ms),
      call(call),
      done(std::move(done)) {}

Op::~Op() = default;

void Op::OnEnded(Code code) noexcept { queue->EndOp(Ref<Op>(this), code); }

}  // namespace chainstore::behind
