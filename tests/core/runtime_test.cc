#include "core/runtime.h"

#include <dirent.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <vector>

#include "support/event.h"

namespace chainstore {
namespace {

Ref<RuntimeSlot> SlotOf(uint32_t workers) {
  RuntimeSettings settings;
  settings.workers = workers;
  return MakeRef<RuntimeSlot>(settings);
}

// The names of the library's threads that this process has now.
std::vector<std::string> LibraryThreads() {
  std::vector<std::string> names;
  DIR* folder = opendir("/proc/self/task");
  while (const dirent* entry = readdir(folder)) {
    std::ifstream file("/proc/self/task/" + std::string(entry->d_name) + "/comm");
    std::string name;
    if (std::getline(file, name) && name.starts_with("cs-")) names.push_back(name);
  }
  closedir(folder);
  std::sort(names.begin(), names.end());
  return names;
}

TEST(RuntimeTest, RunsEveryTaskOfEveryLaneOnce) {
  auto slot = SlotOf(4);
  auto runtime = slot->Acquire();
  std::atomic<int> ran{0};
  constexpr int kTasks = 3000;
  for (int i = 0; i < kTasks; ++i) {
    runtime->Post(static_cast<Lane>(i % 3), [&ran] { ran.fetch_add(1); });
  }
  runtime = nullptr;  // waits for nothing: what is posted still runs, and then the threads end
  ASSERT_TRUE(slot->WaitGone(kForeverNs));
  EXPECT_EQ(ran.load(), kTasks);
}

TEST(RuntimeTest, RunsAtMostHalfOfItsWorkersOnSlowWorkAndFastWorkBesideIt) {
  auto slot = SlotOf(4);
  auto runtime = slot->Acquire();
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  Event two, release, fast, all;
  std::atomic<int> ended{0};
  for (int i = 0; i < 6; ++i) {
    runtime->Post(Lane::kSlow, [&] {
      const int now = running.fetch_add(1) + 1;
      int seen = most.load();
      while (now > seen && !most.compare_exchange_weak(seen, now)) {
      }
      if (now == 2) two.Set();
      release.Wait();
      running.fetch_sub(1);
      if (ended.fetch_add(1) == 5) all.Set();
    });
  }
  two.Wait();
  runtime->Post(Lane::kFast, [&fast] { fast.Set(); });
  fast.Wait();  // hangs if slow work held every worker
  release.Set();
  all.Wait();
  EXPECT_EQ(most.load(), 2);
}

TEST(RuntimeTest, OneWorkerIsEnoughForSlowWork) {
  auto runtime = SlotOf(1)->Acquire();
  Event done;
  runtime->Post(Lane::kSlow, [&done] { done.Set(); });
  done.Wait();
}

TEST(RuntimeTest, RunsBackgroundWorkWhileEveryWorkerWaitsForIt) {
  auto runtime = SlotOf(1)->Acquire();
  Event compacted, written;
  runtime->Post(Lane::kSlow, [&] {
    runtime->Post(Lane::kBackground, [&] { compacted.Set(); });
    compacted.Wait();
    written.Set();
  });
  written.Wait();
}

TEST(RuntimeTest, ItsThreadsBlockAllSignalsCarryNamesAndKnowThatTheyAreTheLibrarys) {
  EXPECT_FALSE(Runtime::OnLibraryThread());
  sigset_t before, after;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  auto runtime = SlotOf(2)->Acquire();
  const auto look = [](std::string* name, bool* blocked, bool* ours, Event* done) {
    char text[16] = {};
    pthread_getname_np(pthread_self(), text, sizeof text);
    *name = text;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    *blocked = sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGTERM) == 1 &&
               sigismember(&mask, SIGCHLD) == 1 && sigismember(&mask, SIGUSR1) == 1;
    *ours = Runtime::OnLibraryThread();
    done->Set();
  };
  const char* expected[] = {"cs-worker", "cs-worker", "cs-background", "cs-timer"};
  for (int i = 0; i < 4; ++i) {
    std::string name;
    bool blocked = false, ours = false;
    Event done;
    auto task = [&] { look(&name, &blocked, &ours, &done); };
    if (i < 3) {
      runtime->Post(static_cast<Lane>(i), task);
    } else {
      runtime->At(0, task);
    }
    done.Wait();
    EXPECT_EQ(name, expected[i]);
    EXPECT_TRUE(blocked) << name;
    EXPECT_TRUE(ours) << name;
  }
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&before, SIGINT), sigismember(&after, SIGINT)) << "the caller's mask";
}

TEST(RuntimeTest, StartsNoThreadBeforeItHasWorkAndNoMoreThanAsked) {
  ASSERT_TRUE(RuntimeSlot::Default().WaitGone(Clock::System().DeadlineAfterMs(10'000)));
  const std::vector<std::string> before = LibraryThreads();
  auto slot = SlotOf(3);
  auto runtime = slot->Acquire();
  EXPECT_EQ(LibraryThreads(), before);
  Event release, all;
  std::atomic<int> ended{0};
  for (int i = 0; i < 50; ++i) {
    runtime->Post(Lane::kFast, [&] {
      release.Wait();
      if (ended.fetch_add(1) == 49) all.Set();
    });
  }
  // A thread is named by itself, a moment after it was made: fewer may be seen, never more.
  EXPECT_LE(LibraryThreads().size(), before.size() + 3);
  release.Set();
  all.Wait();
  runtime = nullptr;
  ASSERT_TRUE(slot->WaitGone(kForeverNs));
  EXPECT_EQ(LibraryThreads(), before);
}

TEST(RuntimeTest, RunsTimersInTheOrderOfTheirDeadlines) {
  auto runtime = SlotOf(1)->Acquire();
  Mutex mutex;
  std::vector<int> order;
  Event blocked, release, last;
  // Holds the timer thread until all are set.
  runtime->At(0, [&] {
    blocked.Set();
    release.Wait();
  });
  blocked.Wait();
  const int64_t now_ns = Clock::System().SteadyNs();
  for (const int i : {3, 1, 2}) {
    runtime->At(now_ns + i, [&, i] {
      MutexLock lock(mutex);
      order.push_back(i);
      if (i == 3) last.Set();
    });
  }
  release.Set();
  last.Wait();
  MutexLock lock(mutex);
  EXPECT_EQ(order, (std::vector<int>{1, 2, 3}));
}

TEST(RuntimeTest, AnEarlierTimerIsNotHeldUpByALaterOne) {
  auto runtime = SlotOf(1)->Acquire();
  const int64_t later_ns = Clock::System().DeadlineAfterMs(3'600'000);
  const Runtime::TimerId later = runtime->At(later_ns, [] { ADD_FAILURE(); });
  Event soon;
  runtime->At(Clock::System().DeadlineAfterMs(1), [&] { soon.Set(); });
  soon.Wait();
  EXPECT_TRUE(runtime->CancelTimer(later, later_ns));
}

TEST(RuntimeTest, ACancelledTimerNeverRunsAndFreesWhatItHeld) {
  auto slot = SlotOf(1);
  auto runtime = slot->Acquire();
  auto held = std::make_shared<int>(1);
  std::weak_ptr<int> watch = held;
  const int64_t later_ns = Clock::System().DeadlineAfterMs(3'600'000);
  const auto id = runtime->At(later_ns, [held = std::move(held)] { ADD_FAILURE(); });
  EXPECT_TRUE(runtime->CancelTimer(id, later_ns));
  EXPECT_TRUE(watch.expired());
  EXPECT_FALSE(runtime->CancelTimer(id, later_ns)) << "only once";
  Event ran;
  const auto gone = runtime->At(0, [&] { ran.Set(); });
  ran.Wait();
  EXPECT_FALSE(runtime->CancelTimer(gone, 0));
}

TEST(RuntimeTest, LivesInItsSlotFromItsFirstUserToItsLast) {
  auto slot = SlotOf(1);
  auto first = slot->Acquire();
  EXPECT_EQ(slot->Acquire().get(), first.get());
  EXPECT_FALSE(slot->WaitGone(Clock::System().DeadlineAfterMs(1))) << "it has a user";
  Event ran;
  first->Post(Lane::kFast, [&] { ran.Set(); });
  ran.Wait();
  first = nullptr;
  EXPECT_TRUE(slot->WaitGone(kForeverNs));
  auto second = slot->Acquire();
  Event again;
  second->Post(Lane::kFast, [&] { again.Set(); });
  again.Wait();
}

// A store's last reference may go in a task: the runtime then ends on a thread of its own.
TEST(RuntimeTest, EndsWhenItsLastUserLetsGoOnEachOfItsThreads) {
  for (int i = 0; i < 4; ++i) {
    auto slot = SlotOf(2);
    Event go;
    auto runtime = slot->Acquire();
    Runtime* at = runtime.get();
    auto task = [&go, runtime = std::move(runtime)]() mutable {
      go.Wait();
      runtime = nullptr;
    };
    if (i < 3) {
      at->Post(static_cast<Lane>(i), std::move(task));
    } else {
      at->At(0, std::move(task));
    }
    go.Set();
    EXPECT_TRUE(slot->WaitGone(Clock::System().DeadlineAfterMs(60'000))) << i;
    EXPECT_TRUE(LibraryThreads().empty()) << i;
  }
}

TEST(RuntimeTest, AForkedChildKnowsAndGetsARuntimeOfItsOwn) {
  auto runtime = RuntimeSlot::Default().Acquire();
  EXPECT_FALSE(runtime->IsForked());
  const pid_t child = fork();
  if (child == 0) {
    auto own = RuntimeSlot::Default().Acquire();
    const bool told = runtime->IsForked() && !own->IsForked() && own.get() != runtime.get();
    const Runtime* leaked = runtime.Release();  // the parent's threads: never to be touched
    _exit(told && leaked && !Runtime::OnLibraryThread() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST(RuntimeTest, OutlivesAPostThatGivesTheLastReferenceAway) {
  auto slot = MakeRef<RuntimeSlot>(RuntimeSettings{});
  for (int round = 0; round < 300; ++round) {
    Ref<Runtime> runtime = slot->Acquire();
    Runtime* const posting = runtime.get();
    posting->Post(Lane::kFast, [] {});
    posting->Post(Lane::kFast, [runtime = std::move(runtime)] {});
    ASSERT_TRUE(slot->WaitGone(Clock::System().DeadlineAfterMs(30'000)));
  }
}

}  // namespace
}  // namespace chainstore
