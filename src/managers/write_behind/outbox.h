// Outbox: what a step under the queue's lock leaves to be done outside it: completions, reports,
// calls of the inner store, and what was dropped. The tasks run in order, as one task of the
// scheduler: never on the stack of a caller whose own call they may not concern, and never on that
// of the delivery, which a slow callback would hold up.
// Thread safety: one thread at a time. Declared before the lock is taken, so that it outlives it.
#pragma once

#include <memory>
#include <vector>

#include "managers/write_behind/pending.h"
#include "managers/write_behind/scheduler.h"

namespace chainstore::behind {

class Outbox {
 public:
  Pending::Trash trash;

  void Add(Scheduler::Task task) { tasks_.push_back(std::move(task)); }
  void Send(Scheduler* scheduler) {
    if (tasks_.empty()) return;
    scheduler->Post([tasks = std::move(tasks_)]() mutable {
      for (Scheduler::Task& task : tasks) {
        task();
        task = nullptr;
      }
    });
    tasks_.clear();
  }

 private:
  std::vector<Scheduler::Task> tasks_;
};

}  // namespace chainstore::behind
