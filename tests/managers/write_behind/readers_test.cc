#include "managers/write_behind/readers.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace chainstore::behind {
namespace {

TEST(ReadersTest, AMomentPassesWhenWhoBeganBeforeItHasEnded) {
  Readers readers;
  EXPECT_TRUE(readers.Passed(readers.Now()));
  const uint64_t first = readers.Begin();
  const uint64_t moment = readers.Now();
  EXPECT_FALSE(readers.Passed(moment));
  const uint64_t second = readers.Begin();
  EXPECT_FALSE(readers.Passed(moment));
  readers.End(first);
  EXPECT_TRUE(readers.Passed(moment)) << "a later read holds it up";
  EXPECT_FALSE(readers.Passed(readers.Now()));
  readers.End(second);
  EXPECT_TRUE(readers.Passed(readers.Now()));
}

TEST(ReadersTest, AnUnbrokenStreamOfReadsDoesNotHoldUpAMoment) {
  Readers readers;
  uint64_t reading = readers.Begin();
  const uint64_t moment = readers.Now();
  for (int i = 0; i < 4; ++i) {
    const uint64_t next = readers.Begin();
    readers.End(reading);
    reading = next;
    readers.Passed(moment);
  }
  EXPECT_TRUE(readers.Passed(moment));
  readers.End(reading);
}

TEST(ReadersTest, NeverPassesAMomentTooEarly) {
  std::mt19937 random(11);
  Readers readers;
  struct Reading {
    uint64_t began;
    int number;
  };
  struct Moment {
    uint64_t moment;
    int next;  // reads from this number on began after it
  };
  std::vector<Reading> reading;
  std::vector<Moment> moments;
  int next = 0;
  for (int step = 0; step < 5'000; ++step) {
    switch (random() % 3) {
      case 0:
        reading.push_back({readers.Begin(), next++});
        break;
      case 1:
        if (reading.empty()) break;
        std::swap(reading[random() % reading.size()], reading.back());
        readers.End(reading.back().began);
        reading.pop_back();
        break;
      default:
        moments.push_back({readers.Now(), next});
    }
    std::erase_if(moments, [&](const Moment& moment) {
      if (!readers.Passed(moment.moment)) return false;
      for (const Reading& each : reading) EXPECT_GE(each.number, moment.next);
      return true;
    });
  }
  for (const Reading& each : reading) readers.End(each.began);
  for (const Moment& moment : moments) EXPECT_TRUE(readers.Passed(moment.moment));
}

}  // namespace
}  // namespace chainstore::behind
