#include "managers/metrics/histogram.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

TEST(HistogramTest, AQuantileIsRightToTwoDigits) {
  for (uint64_t ns = 1; ns < uint64_t{1} << 41; ns = ns * 3 / 2 + 1) {
    Histogram histogram;
    histogram.Add(ns);
    const double seconds = static_cast<double>(ns) / 1e9;
    EXPECT_NEAR(histogram.QuantileSeconds(0.5), seconds, seconds / 128) << ns;
  }
}

TEST(HistogramTest, RanksAreThoseOfTheSortedDurations) {
  Histogram histogram;
  for (uint64_t i = 1; i <= 1000; ++i) histogram.Add(i * 1000);
  EXPECT_EQ(histogram.Count(), 1000u);
  EXPECT_NEAR(histogram.SumSeconds(), 0.5005, 1e-9);
  EXPECT_NEAR(histogram.QuantileSeconds(0.5), 500e-6, 5e-6);
  EXPECT_NEAR(histogram.QuantileSeconds(0.99), 990e-6, 10e-6);
  EXPECT_NEAR(histogram.QuantileSeconds(1), 1000e-6, 10e-6);
  EXPECT_NEAR(histogram.QuantileSeconds(0), 1e-6, 1e-8);
}

TEST(HistogramTest, WhatIsBeyondTheLastBucketIsInIt) {
  Histogram histogram;
  histogram.Add(UINT64_MAX);
  EXPECT_GT(histogram.QuantileSeconds(0.5), 4000.0);
  EXPECT_EQ(Histogram().QuantileSeconds(0.5), 0.0);
}

}  // namespace
}  // namespace chainstore
