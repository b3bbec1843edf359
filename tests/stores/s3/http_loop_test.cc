// The one HTTP thread of all stores.
#include "stores/s3/http_loop.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/scripted_s3.h"

namespace chainstore::s3::http_loop_test {
namespace {

size_t HttpThreads() {
  size_t count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    count += name == "cs-http";
  }
  return count;
}

// A thread that was joined is listed for a moment still.
bool HttpThreadsBecome(size_t count) {
  const int64_t until_ns = Clock::System().SteadyNs() + 10'000'000'000;
  while (HttpThreads() != count && Clock::System().SteadyNs() < until_ns) std::this_thread::yield();
  return HttpThreads() == count;
}

class HttpLoopTest : public ScriptedS3Test {
 protected:
  Ref<Store> NewStore() {
    Open({});
    return std::move(store_);
  }
  void GetOnce(Store& store) {
    Answers(Reply(200, "v"));
    EXPECT_EQ(GetText(store, "k"), "v");
  }
};

TEST_F(HttpLoopTest, IsOneThreadForAllStoresFromTheFirstRequestToTheLastClose) {
  ASSERT_TRUE(HttpThreadsBecome(0));
  const Ref<Store> first = NewStore(), second = NewStore();
  EXPECT_TRUE(HttpThreadsBecome(0)) << "nothing was asked yet";
  GetOnce(*first);
  GetOnce(*second);
  EXPECT_TRUE(HttpThreadsBecome(1));
  EXPECT_TRUE(CloseStore(*first).ok());
  EXPECT_TRUE(HttpThreadsBecome(1));
  GetOnce(*second);
  EXPECT_TRUE(CloseStore(*second).ok());
  EXPECT_TRUE(HttpThreadsBecome(0));
  const Ref<Store> third = NewStore();
  GetOnce(*third);
  EXPECT_TRUE(CloseStore(*third).ok());
  EXPECT_TRUE(HttpThreadsBecome(0));
}

TEST_F(HttpLoopTest, AStoreThatClosesEndsItsOwnRequestsOnly) {
  const Ref<Store> first = NewStore(), second = NewStore();
  Answers("", Then::kHang);
  std::atomic<int> ended{0};
  Call call = CallOf(Wait::kLater);
  call.cancel = MakeRef<CancelToken>();
  first->Get(Key("k"), Read::Whole(), call, [&](Answer&&) { ++ended; });
  ASSERT_TRUE(server_.WaitForRequests(1));
  GetOnce(*second);
  EXPECT_TRUE(CloseStore(*second).ok());
  EXPECT_EQ(ended, 0);
  call.cancel->Fire();
  EXPECT_TRUE(CloseStore(*first).ok());
  EXPECT_EQ(ended, 1);
}

// How long the HTTP thread has run, in nanoseconds.
int64_t HttpThreadNs() {
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm") >> std::ws, name);
    int64_t ran_ns = 0;
    if (name == "cs-http" && std::ifstream(task.path() / "schedstat") >> ran_ns) return ran_ns;
  }
  return -1;
}

TEST_F(HttpLoopTest, SleepsWhenAServerHasClosedAnIdleConnection) {
  const Ref<Store> store = NewStore();
  Answers(Reply(200, "v"), Then::kClose);
  EXPECT_EQ(GetText(*store, "k"), "v");
  ASSERT_TRUE(server_.WaitUntilAlone());
  const int64_t before_ns = HttpThreadNs();
  ASSERT_GE(before_ns, 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // what is measured
  EXPECT_LT(HttpThreadNs() - before_ns, 20'000'000);
  GetOnce(*store);
  EXPECT_EQ(server_.connections(), 2u);
  EXPECT_TRUE(CloseStore(*store).ok());
}

TEST_F(HttpLoopTest, WithoutDescriptorsARequestFailsAndTheNextMayDo) {
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "the sanitizer itself needs descriptors";
#endif
#endif
  Open({{"endpoint", "http://127.0.0.1:1"}, {"attempts", "1"}});
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none = {0, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status status = Get().status;
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(status.Is(Code::kNoMemory)) << status.ToString();
  EXPECT_TRUE(Get().status.Is(Code::kIo)) << "nobody listens there, but it was asked";
}

}  // namespace
}  // namespace chainstore::s3::http_loop_test
