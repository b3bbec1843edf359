#include "core/recipe.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

constexpr OptionSpec kRecipeSpecs[] = {
    {"a", OptionSpec::Type::kCount, "1", "one"},
    {"b", OptionSpec::Type::kSize, "2KiB", "fitted", "", true},
};

TEST(RecipeTest, HasEveryOptionButAFittedDefault) {
  const Recipe made("kind", {{"argument", "x"}}, kRecipeSpecs, nullptr);
  EXPECT_EQ(made.kind, "kind");
  ASSERT_EQ(made.values.size(), 2u);
  EXPECT_EQ(made.Find("argument")->text, "x");
  EXPECT_EQ(made.Find("a")->text, "1");
  EXPECT_EQ(made.Find("b"), nullptr);
  Options options;
  options.values = {{"b", "2KiB"}};
  EXPECT_EQ(Recipe("kind", {}, kRecipeSpecs, &options).Find("b")->text, "2KiB");
}

TEST(RecipeTest, ANoteReplacesTheValueOfItsName) {
  Recipe made("kind", {}, kRecipeSpecs, nullptr);
  made.Note({"a", "${A}", true});
  made.Note({"c", "3"});
  ASSERT_EQ(made.values.size(), 2u);
  EXPECT_TRUE(made.Find("a")->written);
  EXPECT_EQ(made.Find("a")->text, "${A}");
  EXPECT_EQ(made.Find("c")->text, "3");
}

TEST(RecipeTest, ValuesHaveOneWayToBeWritten) {
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(1), "1");
  EXPECT_EQ(FormatSize(1023), "1023");
  EXPECT_EQ(FormatSize(500'000'000), "500MB");
  EXPECT_EQ(FormatSize(64 << 20), "64MiB");
  EXPECT_EQ(FormatSize(1'024'000), "1000KiB");
  EXPECT_EQ(FormatSize(UINT64_MAX), "18446744073709551615");
  EXPECT_EQ(FormatDuration(0), "0ms");
  EXPECT_EQ(FormatDuration(1'500), "1500ms");
  EXPECT_EQ(FormatDuration(120'000), "2m");
  EXPECT_EQ(FormatDuration(7'200'000), "2h");
  for (const uint64_t number : {0ull, 1ull, 999ull, 1'000ull, 1'024ull, 1ull << 50, ~0ull}) {
    EXPECT_EQ(*ParseSize(FormatSize(number)), number);
  }
  EXPECT_EQ(CanonicalOption(kRecipeSpecs[1], "2048B"), "2KiB");
  EXPECT_EQ(CanonicalOption(kRecipeSpecs[1], "nonsense"), "nonsense");
  EXPECT_EQ(CanonicalOption({"p", OptionSpec::Type::kPercent, "1", ""}, "10"), "10%");
}

}  // namespace
}  // namespace chainstore
