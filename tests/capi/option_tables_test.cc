// The option tables in the header's comments are those of the code: names, defaults, choices.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <regex>
#include <span>
#include <sstream>

#include "chain/chain.h"
#include "managers/fault/fault.h"
#include "managers/key_hash/key_hash.h"
#include "managers/logging/logging.h"
#include "managers/lru/lru.h"
#include "managers/metrics/metrics.h"
#include "managers/timeout/timeout.h"
#include "managers/write_behind/write_behind.h"
#include "stores/filesystem/filesystem_store.h"
#include "stores/memory/memory_store.h"
#ifdef CHAINSTORE_WITH_LEVELDB
#include "stores/leveldb/leveldb_store.h"
#endif
#ifdef CHAINSTORE_WITH_LMDB
#include "stores/lmdb/lmdb_store.h"
#endif
#ifdef CHAINSTORE_WITH_S3
#include "stores/s3/s3_options.h"
#endif

namespace chainstore {
namespace {

// "  name  form, default" for each row below "Options:" in the comment of `function`; what goes on
// in a further line is joined to it.
std::map<std::string, std::string> RowsOf(const std::string& function) {
  std::ifstream file(CHAINSTORE_HEADER);
  std::stringstream read;
  read << file.rdbuf();
  const std::string text = read.str();
  const size_t declared = text.find("cs_store* " + function + "(");
  const size_t begin = text.rfind("/*", declared);
  std::map<std::string, std::string> rows;
  if (declared == std::string::npos) return rows;
  std::stringstream comment(text.substr(begin, declared - begin));
  std::string line;
  bool in_options = false;
  const std::regex row(R"(^ \*   (\w+) +(.*)$)");
  const std::regex more(R"(^ \*    +(.*)$)");
  std::smatch found;
  std::string last;
  while (std::getline(comment, line)) {
    if (line == " * Options:")
      in_options = true;
    else if (in_options && line.rfind(" *   ", 0) != 0)
      break;
    else if (in_options && std::regex_match(line, found, row))
      rows[last = found[1]] = found[2];
    else if (in_options && std::regex_match(line, found, more))
      rows[last] += " " + found[1].str();
  }
  return rows;
}

void ExpectDocumented(const std::string& function, std::span<const OptionSpec> specs) {
  std::map<std::string, std::string> rows = RowsOf(function);
  for (const OptionSpec& spec : specs) {
    const std::string row = rows[spec.name];
    std::string form;
    switch (spec.type) {
      case OptionSpec::Type::kSize:
        form = "size, ";
        break;
      case OptionSpec::Type::kDuration:
        form = "duration, ";
        break;
      case OptionSpec::Type::kCount:
        form = "count, ";
        break;
      case OptionSpec::Type::kPercent:
        form = "percent, ";
        break;
      case OptionSpec::Type::kFlag:
        form = "flag, ";
        break;
      case OptionSpec::Type::kText:
      case OptionSpec::Type::kSecret:
        break;
      case OptionSpec::Type::kChoice:
        form = std::regex_replace(spec.choices, std::regex(R"(\|)"), " | ");
        if (form != spec.choices) form += ", ";
    }
    if (form != spec.default_text && spec.type != OptionSpec::Type::kText) {
      form += spec.default_text;
    }
    EXPECT_EQ(row.rfind(form, 0), 0u)
        << function << " says of " << spec.name << ":\n  " << row << "\nnot:\n  " << form;
    rows.erase(spec.name);
  }
  for (const auto& [name, row] : rows) ADD_FAILURE() << function << " has no option " << name;
}

TEST(OptionTablesTest, TheHeaderListsEveryOptionWithItsDefault) {
  ExpectDocumented("cs_memory_new", kMemoryOptions);
  ExpectDocumented("cs_filesystem_new", kFilesystemOptions);
#ifdef CHAINSTORE_WITH_LMDB
  ExpectDocumented("cs_lmdb_new", kLmdbOptions);
#endif
#ifdef CHAINSTORE_WITH_LEVELDB
  ExpectDocumented("cs_leveldb_new", kLevelDbOptions);
#endif
#ifdef CHAINSTORE_WITH_S3
  ExpectDocumented("cs_s3_new", kS3Options);
#endif
  ExpectDocumented("cs_lru_new", kLruOptions);
  ExpectDocumented("cs_timeout_new", kTimeoutOptions);
  ExpectDocumented("cs_write_behind_new", kWriteBehindOptions);
  ExpectDocumented("cs_metrics_new", kMetricsOptions);
  ExpectDocumented("cs_logging_new", kLoggingOptions);
  ExpectDocumented("cs_key_hash_new", kKeyHashOptions);
  ExpectDocumented("cs_fault_new", kFaultOptions);
  ExpectDocumented("cs_chain_new", kChainOptions);
}

}  // namespace
}  // namespace chainstore
