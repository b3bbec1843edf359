#include "stores/s3/variables.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace chainstore::s3::variables_test {
namespace {

TEST(VariablesTest, KeepsTheEnvironmentAsItWas) {
  setenv("AWS_CHAINSTORE_TEST", "before", 1);
  setenv("CHAINSTORE_TEST", "not asked for", 1);
  const Variables variables = Variables::OfProcess();
  setenv("AWS_CHAINSTORE_TEST", "after", 1);
  EXPECT_EQ(variables.Get("AWS_CHAINSTORE_TEST"), "before");
  EXPECT_EQ(variables.Get("CHAINSTORE_TEST"), "");
  unsetenv("AWS_CHAINSTORE_TEST");
  unsetenv("CHAINSTORE_TEST");
}

TEST(VariablesTest, TakesBlankForMissing) {
  Variables variables;
  variables.Set("AWS_A", " \t\n");
  EXPECT_EQ(variables.Get("AWS_A"), "");
  variables.Set("AWS_A", " a");
  EXPECT_EQ(variables.Get("AWS_A"), " a");
  EXPECT_EQ(variables.Text("AWS_B"), "");
}

}  // namespace
}  // namespace chainstore::s3::variables_test
