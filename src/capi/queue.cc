#include "capi/queue.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "capi/calling_out.h"
#include "capi/completion.h"
#include "capi/guard.h"

using chainstore::MutexLock;
using chainstore::Pending;

cs_queue::cs_queue(uint32_t capacity, int event_fd)
    : capacity_(capacity),
      event_fd_(event_fd),
      fork_generation_(chainstore::Runtime::ForkGeneration()) {}

cs_queue::~cs_queue() {
  // Nobody can take these any more: every call that could post holds a reference to the queue.
  for (Pending* call = first_; call;) {
    Pending* next = call->next_in_queue();
    cs_result unseen;
    call->TakeResult(&unseen);
    cs_result_release(&unseen);
    call = next;
  }
  close(event_fd_);
}

bool cs_queue::Reserve() {
  MutexLock lock(mutex_);
  if (used_ == capacity_) return false;
  ++used_;
  return true;
}

void cs_queue::Unreserve() {
  MutexLock lock(mutex_);
  --used_;
}

void cs_queue::Post(Pending* call) {
  {
    MutexLock lock(mutex_);
    (last_ ? last_->next_in_queue() : first_) = call;
    last_ = call;
    UpdateEventLocked();
  }
  changed_.NotifyOne();  // who wakes finds the lock free
}

Pending* cs_queue::PopLocked() {
  Pending* call = first_;
  first_ = call->next_in_queue();
  if (!first_) last_ = nullptr;
  --used_;
  return call;
}

size_t cs_queue::Take(cs_result* out, size_t capacity, int64_t deadline_ns) {
  Pending* taken = nullptr;
  size_t count = 0;
  {
    MutexLock lock(mutex_);
    while (!first_ && !woken_) {
      const bool poll = deadline_ns <= chainstore::Clock::System().SteadyNs();
      if (poll) return 0;
      if (deadline_ns == chainstore::kForeverNs)
        changed_.Wait(mutex_);
      else
        changed_.WaitUntil(mutex_, deadline_ns);
    }
    woken_ = false;
    Pending** link = &taken;
    while (first_ && count < capacity) {
      Pending* call = PopLocked();
      call->next_in_queue() = nullptr;
      *link = call;
      link = &call->next_in_queue();
      ++count;
    }
    // Another taker may be waiting for what is left.
    if (first_) changed_.NotifyOne();
    UpdateEventLocked();
  }
  while (taken) {
    Pending* next = taken->next_in_queue();
    taken->TakeResult(out++);
    taken = next;
  }
  return count;
}

void cs_queue::Wake() {
  MutexLock lock(mutex_);
  woken_ = true;
  changed_.NotifyOne();
  UpdateEventLocked();
}

int cs_queue::Fd() {
  MutexLock lock(mutex_);
  fd_in_use_ = true;
  UpdateEventLocked();
  return event_fd_;
}

// The event costs a system call at each change, so it is kept only for those who asked for it.
void cs_queue::UpdateEventLocked() {
  const bool readable = first_ != nullptr || woken_;
  if (!fd_in_use_ || readable == readable_) return;
  readable_ = readable;
  uint64_t count = 1;
  // Neither can fail: the event is non-blocking, and its count is 0 or 1.
  const ssize_t size =
      readable ? write(event_fd_, &count, sizeof(count)) : read(event_fd_, &count, sizeof(count));
  (void)size;
}

using chainstore::Code;
using chainstore::Failure;
using chainstore::Invalid;
using chainstore::Ref;
using chainstore::Result;

extern "C" {

cs_queue* cs_queue_new(uint32_t capacity, cs_error** error) {
  return chainstore::GuardHandle(error, [&]() -> Result<Ref<cs_queue>> {
    // Beyond this a queue is a mistake: each of its calls takes half a KiB.
    constexpr uint32_t kMaxCapacity = 1u << 20;
    if (capacity == 0 || capacity > kMaxCapacity) {
      return Invalid(nullptr, "queue_new", "a queue's capacity is 1 to 1048576");
    }
    chainstore::RuntimeSlot::Default();  // forks are noticed from here on
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) {
      return Failure(Code::kIo, "cannot make an eventfd").Op("queue_new").Errno(errno);
    }
    try {
      return Ref<cs_queue>::Adopt(new cs_queue(capacity, fd));
    } catch (...) {
      close(fd);
      throw;
    }
  });
}

void cs_queue_unref(cs_queue* queue) {
  if (queue && !queue->IsForked()) queue->Unref();
}

cs_status cs_queue_take(cs_queue* queue, cs_result* out, size_t capacity, uint64_t timeout_ms,
                        size_t* count) {
  if (count) *count = 0;
  if (!queue || !out || capacity == 0 || !count) return CS_INVALID;
  if (queue->IsForked()) return CS_FORKED;
  if (timeout_ms != 0 && chainstore::CallingOut::Active()) return CS_DEADLOCK;
  const int64_t deadline_ns =
      timeout_ms == 0 ? 0 : chainstore::Clock::System().DeadlineAfterMs(timeout_ms);
  return chainstore::Guard([&] {
    *count = queue->Take(out, capacity, deadline_ns);
    return *count != 0 ? CS_OK : CS_WOULD_BLOCK;
  });
}

int cs_queue_fd(cs_queue* queue) { return queue && !queue->IsForked() ? queue->Fd() : -1; }

void cs_queue_wake(cs_queue* queue) {
  if (queue && !queue->IsForked()) queue->Wake();
}

}  // extern "C"
