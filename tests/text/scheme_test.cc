#include "text/scheme.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace chainstore::text {
namespace {

TEST(SchemeTest, NamesAreUniqueAndOptionsOfARowToo) {
  std::set<std::string> names;
  for (const Scheme& scheme : Schemes()) {
    EXPECT_TRUE(names.insert(scheme.name).second) << scheme.name;
    EXPECT_EQ(FindScheme(scheme.name), &scheme);
    std::set<std::string> values;
    for (const auto specs : {scheme.arguments, scheme.options}) {
      for (const OptionSpec& spec : specs) {
        EXPECT_TRUE(values.insert(spec.name).second) << scheme.name << " " << spec.name;
        EXPECT_EQ(scheme.Find(spec.name), &spec);
        uint64_t number = 0;
        if (spec.default_text) {
          EXPECT_TRUE(ParseOption(spec, spec.default_text, &number).ok()) << spec.name;
        }
      }
    }
    for (const OptionSpec& spec : scheme.options) {
      EXPECT_NE(spec.default_text, nullptr) << "an option has a default: " << spec.name;
    }
  }
  EXPECT_EQ(FindScheme("lur"), nullptr);
  EXPECT_EQ(FindScheme("lru")->Find("nothing"), nullptr);
}

TEST(SchemeTest, TheTableHasALineOfSevenFieldsForEverything) {
  const std::string table = SchemeTable();
  size_t wanted = 0;
  for (const Scheme& scheme : Schemes()) {
    wanted += 1 + scheme.arguments.size() + scheme.options.size();
  }
  EXPECT_EQ(static_cast<size_t>(std::count(table.begin(), table.end(), '\n')), wanted);
  EXPECT_EQ(static_cast<size_t>(std::count(table.begin(), table.end(), '\t')), 6 * wanted);
  EXPECT_NE(table.find("store\tmemory\tcs_memory_new\tyes\tmemory:\t-\ta map in memory\n"
                       "argument\tmemory\tmax_bytes\tsize\t1TiB\toptional\t"),
            std::string::npos);
  EXPECT_NE(table.find("manager\tlru\tcs_lru_new\tyes\tlru(MAX_BYTES, STORE)\t-\t"
                       "keeps only the most recently used entries of a store\n"
                       "argument\tlru\tmax_bytes\tsize\t\trequired\t"),
            std::string::npos);
  EXPECT_NE(table.find("option\tlru\toversize\tbypass|reject\tbypass\toptional\t"),
            std::string::npos);
  EXPECT_NE(table.find("chain\tchain\tcs_chain_new\tyes\tSTORE > STORE\t-\t"), std::string::npos);
}

}  // namespace
}  // namespace chainstore::text
