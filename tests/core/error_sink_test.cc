#include "core/error_sink.h"

#include <gtest/gtest.h>

#include <vector>

#include "support/event.h"
#include "support/scripted_store.h"

namespace chainstore {
namespace {

// A handler that keeps what it is told.
struct Heard {
  explicit Heard(size_t wanted) : wanted(wanted) {}
  static void Hear(void* heard, const Error* error) {
    auto* self = static_cast<Heard*>(heard);
    EXPECT_TRUE(Runtime::OnLibraryThread());
    MutexLock lock(self->mutex);
    self->messages.push_back(error->message());
    if (self->messages.size() == self->wanted) self->all.Set();
  }
  static void Release(void* heard) { static_cast<Heard*>(heard)->released.Set(); }

  const size_t wanted;
  Mutex mutex;
  std::vector<std::string> messages CS_GUARDED_BY(mutex);
  Event all;
  Event released;
};

Status Numbered(int number) { return Failure(Code::kIo, std::to_string(number)); }

TEST(ErrorSinkTest, DeliversInOrderOnALibraryThread) {
  auto store = ScriptedStore::New("s");
  Heard heard(100);
  store->error_sink().Set(&Heard::Hear, &heard, &Heard::Release);
  for (int i = 0; i < 100; ++i) store->error_sink().Post(Numbered(i));
  heard.all.Wait();
  {
    MutexLock lock(heard.mutex);
    for (int i = 0; i < 100; ++i) {
      EXPECT_EQ(heard.messages[static_cast<size_t>(i)], std::to_string(i));
    }
  }
  store->error_sink().Set(nullptr, nullptr, nullptr);
  heard.released.Wait();
}

TEST(ErrorSinkTest, KeepsTheLastSixtyFourForAHandlerThatComesLater) {
  auto store = ScriptedStore::New("s");
  for (int i = 0; i < 100; ++i) store->error_sink().Post(Numbered(i));
  Heard heard(64);
  store->error_sink().Set(&Heard::Hear, &heard, &Heard::Release);
  heard.all.Wait();
  {
    MutexLock lock(heard.mutex);
    EXPECT_EQ(heard.messages.front(), "36");
    EXPECT_EQ(heard.messages.back(), "99");
  }
  store->error_sink().Set(nullptr, nullptr, nullptr);
  heard.released.Wait();
}

TEST(ErrorSinkTest, AnAnswerIsNoFailure) {
  auto store = ScriptedStore::New("s");
  Heard heard(1);
  store->error_sink().Set(&Heard::Hear, &heard, &Heard::Release);
  store->error_sink().Post(Status());
  store->error_sink().Post(Code::kNotFound);
  store->error_sink().Post(Numbered(1));
  heard.all.Wait();
  store->error_sink().Set(nullptr, nullptr, nullptr);
  heard.released.Wait();
  MutexLock lock(heard.mutex);
  EXPECT_EQ(heard.messages, std::vector<std::string>{"1"});
}

TEST(ErrorSinkTest, AReplacedHandlerIsReleasedOnceAndHearsNoMore) {
  auto store = ScriptedStore::New("s");
  Heard first(1), second(1);
  store->error_sink().Set(&Heard::Hear, &first, &Heard::Release);
  store->error_sink().Post(Numbered(1));
  first.all.Wait();
  store->error_sink().Set(&Heard::Hear, &second, &Heard::Release);
  first.released.Wait();
  store->error_sink().Post(Numbered(2));
  second.all.Wait();
  MutexLock lock(first.mutex);
  EXPECT_EQ(first.messages.size(), 1u);
  EXPECT_FALSE(second.released.IsSet());
  store->error_sink().Set(nullptr, nullptr, nullptr);
  second.released.Wait();
}

TEST(ErrorSinkTest, TheHandlerGoesWithItsStore) {
  Heard heard(1);
  auto store = ScriptedStore::New("s");
  store->error_sink().Set(&Heard::Hear, &heard, &Heard::Release);
  store = nullptr;
  heard.released.Wait();
}

}  // namespace
}  // namespace chainstore
