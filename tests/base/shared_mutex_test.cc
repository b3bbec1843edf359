#include "base/shared_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "support/event.h"

namespace chainstore {
namespace {

TEST(SharedMutexTest, LetsReadersInTogether) {
  SharedMutex mutex;
  Event first, second;
  std::thread other([&] {
    ReaderLock lock(mutex);
    first.Set();
    second.Wait();
  });
  first.Wait();
  {
    ReaderLock lock(mutex);  // hangs if readers keep each other out
    second.Set();
  }
  other.join();
}

TEST(SharedMutexTest, AWriterIsAlone) {
  SharedMutex mutex;
  int64_t plain = 0;  // a torn or lost update is what the lock prevents
  std::atomic<bool> odd{false};
  std::thread threads[4];
  for (std::thread& thread : threads) {
    thread = std::thread([&] {
      for (int i = 0; i < 2000; ++i) {
        if (i % 4 == 0) {
          WriterLock lock(mutex);
          ++plain;
          ++plain;
        } else {
          ReaderLock lock(mutex);
          if (plain % 2 != 0) odd = true;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_FALSE(odd);
  EXPECT_EQ(plain, 4 * 500 * 2);
}

TEST(SharedMutexTest, AWriterThatWaitsGoesBeforeLaterReaders) {
  SharedMutex mutex;
  Event reading, end_reading;
  std::thread reader([&] {
    ReaderLock lock(mutex);
    reading.Set();
    end_reading.Wait();
  });
  reading.Wait();
  std::atomic<bool> written{false};
  std::thread writer([&] {
    WriterLock lock(mutex);
    written = true;
  });
  // Readers without a pause, two of them overlapping: one that preferred readers would never end.
  std::atomic<bool> stop{false};
  std::thread others[2];
  for (std::thread& other : others) {
    other = std::thread([&] {
      while (!stop) ReaderLock lock(mutex);
    });
  }
  end_reading.Set();
  writer.join();
  EXPECT_TRUE(written);
  stop = true;
  reader.join();
  for (std::thread& other : others) other.join();
}

}  // namespace
}  // namespace chainstore
