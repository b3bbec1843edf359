#include "stores/leveldb/engine_settings.h"

#include <gtest/gtest.h>

#include "stores/leveldb/leveldb_store.h"

namespace chainstore {
namespace {

Status ParseSettings(const std::map<std::string, std::string, std::less<>>& given,
                     DatabaseSettings* settings) {
  Options options;
  options.values = given;
  const auto values = OptionValues::Parse("leveldb:/d", kLevelDbOptions, &options);
  if (!values.ok()) return values.status();
  return ReadEngineOptions("leveldb:/d", *values, settings);
}

TEST(EngineSettingsTest, HasTheEnginesDefaultsAndAFilter) {
  DatabaseSettings settings;
  ASSERT_TRUE(ParseSettings({}, &settings).ok());
  const leveldb::Options engine;
  EXPECT_EQ(settings.options.write_buffer_size, engine.write_buffer_size);
  EXPECT_EQ(settings.options.max_open_files, engine.max_open_files);
  EXPECT_EQ(settings.options.block_size, engine.block_size);
  EXPECT_EQ(settings.options.compression,
            EngineHasSnappy() ? leveldb::kSnappyCompression : leveldb::kNoCompression);
  EXPECT_EQ(settings.block_cache_bytes, size_t{8} << 20);
  EXPECT_EQ(settings.bloom_bits, 10);
}

TEST(EngineSettingsTest, PassesOnWhatIsAsked) {
  DatabaseSettings settings;
  ASSERT_TRUE(ParseSettings({{"write_buffer_size", "64KiB"},
                             {"max_open_files", "74"},
                             {"block_cache", "0"},
                             {"block_size", "4MiB"},
                             {"bloom_bits", "0"},
                             {"compression", "none"}},
                            &settings)
                  .ok());
  EXPECT_EQ(settings.options.write_buffer_size, size_t{64} << 10);
  EXPECT_EQ(settings.options.max_open_files, 74);
  EXPECT_EQ(settings.block_cache_bytes, 0u);
  EXPECT_EQ(settings.options.block_size, size_t{4} << 20);
  EXPECT_EQ(settings.bloom_bits, 0);
  EXPECT_EQ(settings.options.compression, leveldb::kNoCompression);
}

TEST(EngineSettingsTest, RefusesWhatLevelDbWouldSilentlyChange) {
  const std::pair<const char*, const char*> kBad[] = {
      {"write_buffer_size", "65535"}, {"write_buffer_size", "2GiB"},
      {"max_open_files", "73"},       {"max_open_files", "50001"},
      {"block_size", "1023"},         {"block_size", "5MiB"},
      {"block_cache", "2TiB"},        {"bloom_bits", "65"},
      {"compression", "zstd"},        {"write_buffer_size", "99999999999999999999"}};
  for (const auto& [name, value] : kBad) {
    DatabaseSettings settings;
    const Status status = ParseSettings({{name, value}}, &settings);
    EXPECT_EQ(status.code(), Code::kInvalid) << name << "=" << value;
    EXPECT_NE(status.ToString().find(name), std::string::npos) << status.ToString();
  }
}

}  // namespace
}  // namespace chainstore
