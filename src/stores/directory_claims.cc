#include "stores/directory_claims.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>

#include "base/clock.h"
#include "core/store.h"

namespace chainstore {
namespace {

// Never destroyed: stores may outlive static destructors. A forked child gets a new one.
std::atomic<DirectoryClaims*> process_claims{nullptr};

}  // namespace

DirectoryClaims& DirectoryClaims::Process() {
  static std::once_flag once;
  std::call_once(once, [] {
    process_claims.store(new DirectoryClaims());
    pthread_atfork(&BeforeFork, &AfterForkInParent, &AfterForkInChild);
  });
  return *process_claims.load();
}

// The lock is held across the fork, so that the child sees a list of lock files that is whole.
void DirectoryClaims::BeforeFork() CS_NO_THREAD_SAFETY_ANALYSIS {
  process_claims.load()->mutex_.Lock();
}

void DirectoryClaims::AfterForkInParent() CS_NO_THREAD_SAFETY_ANALYSIS {
  process_claims.load()->mutex_.Unlock();
}

void DirectoryClaims::AfterForkInChild() CS_NO_THREAD_SAFETY_ANALYSIS {
  // The old one stays as it is, locked and leaked: what waited on it waits in the parent.
  for (const int fd : process_claims.load()->lock_files_) close(fd);
  process_claims.store(new DirectoryClaims());
}

DirectoryClaims::Held* DirectoryClaims::FindRivalLocked(const Claim& claim) {
  for (Held& held : held_) {
    const Claim& other = held.claim;
    if (other.device != claim.device || other.inode != claim.inode) continue;
    const bool beside = other.engine == claim.engine && !other.part.empty() &&
                        !claim.part.empty() && other.part != claim.part;
    if (!beside) return &held;
  }
  return nullptr;
}

DirectoryClaims::Outcome DirectoryClaims::Add(const Claim& claim, Id* id,
                                              std::string* holder_engine) {
  const int64_t grace_ns = Clock::System().DeadlineAfterMs(kGraceMs);
  const int64_t ending_ns = Clock::System().DeadlineAfterMs(kEndingMs);
  MutexLock lock(mutex_);
  while (const Held* rival = FindRivalLocked(claim)) {
    const bool ending = rival->owner != nullptr && rival->owner->ending();
    if (Clock::System().SteadyNs() >= (ending ? ending_ns : grace_ns)) {
      *holder_engine = rival->claim.engine;
      return rival->claim.engine == claim.engine ? Outcome::kSameTaken : Outcome::kOtherEngine;
    }
    changed_.WaitUntil(mutex_, ending ? ending_ns : grace_ns);
  }
  *id = next_id_++;
  held_.push_back({*id, claim, nullptr});
  return Outcome::kClaimed;
}

void DirectoryClaims::Remove(Id id) {
  MutexLock lock(mutex_);
  std::erase_if(held_, [id](const Held& held) { return held.id == id; });
  changed_.NotifyAll();
}

void DirectoryClaims::SetOwner(Id id, const Store* owner) {
  MutexLock lock(mutex_);
  for (Held& held : held_) {
    if (held.id == id) held.owner = owner;
  }
}

int DirectoryClaims::OpenLockFile(int directory, const char* name) {
  MutexLock lock(mutex_);
  const int fd = openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (fd >= 0) lock_files_.push_back(fd);
  return fd;
}

void DirectoryClaims::CloseLockFile(int fd) {
  MutexLock lock(mutex_);
  if (std::erase(lock_files_, fd) == 1) close(fd);
}

}  // namespace chainstore
