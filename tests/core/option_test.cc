#include "core/option.h"

#include <gtest/gtest.h>

namespace chainstore {
namespace {

using Type = OptionSpec::Type;
constexpr OptionSpec kSpecs[] = {
    {"directory", Type::kText, "", "where"},
    {"max_bytes", Type::kSize, "64MiB", "how much"},
    {"interval", Type::kDuration, "2s", "how often"},
    {"count", Type::kCount, "3", "how many"},
    {"sync", Type::kFlag, "true", "whether"},
    {"cushion", Type::kPercent, "10%", "which part"},
    {"policy", Type::kChoice, "lru", "which", "lru|s3fifo"},
};

Result<OptionValues> Parse(std::map<std::string, std::string, std::less<>> given) {
  Options options;
  options.values = std::move(given);
  return OptionValues::Parse("store", kSpecs, &options);
}

std::string MessageOf(std::map<std::string, std::string, std::less<>> given) {
  const auto values = Parse(std::move(given));
  return values.ok() ? "" : values.status().error()->message();
}

TEST(OptionTest, NotGivenIsTheDefault) {
  const auto values = OptionValues::Parse("store", kSpecs, nullptr);
  ASSERT_TRUE(values.ok());
  EXPECT_EQ(values->Text("directory"), "");
  EXPECT_EQ(values->Number("max_bytes"), uint64_t{64} << 20);
  EXPECT_EQ(values->Number("interval"), 2000u);
  EXPECT_EQ(values->Number("count"), 3u);
  EXPECT_TRUE(values->Flag("sync"));
  EXPECT_EQ(values->Number("cushion"), 10u);
  EXPECT_EQ(values->Text("policy"), "lru");
  EXPECT_TRUE(values->IsDefault("policy"));
}

TEST(OptionTest, GivenIsWhatWasGiven) {
  const auto values = Parse({{"directory", "/x y"},
                             {"max_bytes", "512"},
                             {"interval", "250ms"},
                             {"count", "0"},
                             {"sync", "false"},
                             {"cushion", "100"},
                             {"policy", "s3fifo"}});
  ASSERT_TRUE(values.ok()) << values.status().ToString();
  EXPECT_EQ(values->Text("directory"), "/x y");
  EXPECT_EQ(values->Number("max_bytes"), 512u);
  EXPECT_EQ(values->Number("interval"), 250u);
  EXPECT_EQ(values->Number("count"), 0u);
  EXPECT_FALSE(values->Flag("sync"));
  EXPECT_EQ(values->Number("cushion"), 100u);
  EXPECT_EQ(values->Text("policy"), "s3fifo");
  EXPECT_FALSE(values->IsDefault("policy"));
}

TEST(OptionTest, AnUnknownNameListsTheKnownOnesAndTheOneThatWasMeant) {
  const std::string message = MessageOf({{"max_byte", "1"}});
  EXPECT_EQ(message,
            "store: unknown option 'max_byte'; did you mean 'max_bytes'? known: directory "
            "max_bytes interval count sync cushion policy");
  EXPECT_EQ(MessageOf({{"zzzzzz", "1"}}).find("did you mean"), std::string::npos);
  EXPECT_EQ(Parse({{"zzzzzz", "1"}}).status().code(), Code::kInvalid);
  Options options;
  options.values = {{"a", "1"}};
  const auto none = OptionValues::Parse("store", {}, &options);
  EXPECT_NE(none.status().ToString().find("there are none"), std::string::npos);
}

TEST(OptionTest, AValueOfTheWrongFormSaysWhatItCouldBe) {
  EXPECT_EQ(MessageOf({{"max_bytes", "lots"}}),
            "store: option 'max_bytes': 'lots' is not a size, such as 512, 64KiB, 500MB or 10GiB");
  EXPECT_EQ(MessageOf({{"policy", "fifo"}}),
            "store: option 'policy': 'fifo' is not one of lru|s3fifo");
  for (const auto& [name, value] : std::map<std::string, std::vector<const char*>>{
           {"max_bytes", {"", "-1", "+1", " 1", "1 ", "1.5GiB", "1kb", "0x10", "MiB"}},
           {"interval", {"", "5", "2d", "-1s", "1.5s", "1 s"}},
           {"count", {"", "1k", "-1", "one"}},
           {"sync", {"", "1", "yes", "TRUE"}},
           {"cushion", {"", "101", "10%%", "%", "-1%"}},
           {"policy", {"", "lru|s3fifo", "LRU", "lr"}}}) {
    for (const char* each : value) {
      const auto values = Parse({{name, each}});
      EXPECT_EQ(values.status().code(), Code::kInvalid) << name << "=" << each;
      EXPECT_NE(values.status().ToString().find("'" + name + "'"), std::string::npos);
    }
  }
}

TEST(OptionTest, SizesAndDurationsHaveTheirUnits) {
  EXPECT_EQ(*ParseSize("0"), 0u);
  EXPECT_EQ(*ParseSize("7B"), 7u);
  EXPECT_EQ(*ParseSize("2KB"), 2000u);
  EXPECT_EQ(*ParseSize("2KiB"), 2048u);
  EXPECT_EQ(*ParseSize("3MB"), 3'000'000u);
  EXPECT_EQ(*ParseSize("3MiB"), uint64_t{3} << 20);
  EXPECT_EQ(*ParseSize("1GB"), 1'000'000'000u);
  EXPECT_EQ(*ParseSize("1TiB"), uint64_t{1} << 40);
  EXPECT_EQ(*ParseDurationMs("5m"), 300'000u);
  EXPECT_EQ(*ParseDurationMs("1h"), 3'600'000u);
  EXPECT_EQ(*ParseSize("18446744073709551615"), UINT64_MAX);
}

TEST(OptionTest, WhatOverflowsIsTooLarge) {
  for (const char* text : {"18446744073709551616", "99999999999999999999", "16777216TiB"}) {
    const auto size = ParseSize(text);
    ASSERT_FALSE(size.ok()) << text;
    EXPECT_NE(size.status().ToString().find("too large"), std::string::npos);
  }
  EXPECT_FALSE(ParseDurationMs("18446744073709551615h").ok());
}

TEST(OptionTest, AMessageShowsNoEndlessInput) {
  EXPECT_LT(MessageOf({{std::string(10'000, 'x'), "1"}}).size(), 400u);
  EXPECT_LT(MessageOf({{"max_bytes", std::string(10'000, 'x')}}).size(), 400u);
}

TEST(OptionTest, NearIsASlipAndNotAnotherWord) {
  const std::string_view known[] = {"durability", "format", "verify"};
  EXPECT_EQ(NearestName("durabilty", known), "durability");
  EXPECT_EQ(NearestName("fromat", known), "format");
  EXPECT_EQ(NearestName("sync", known), "");
}

TEST(OptionTest, TheRuntimeIsTheOptionsOneElseTheDefault) {
  const auto slot = MakeRef<RuntimeSlot>(RuntimeSettings{});
  Options options;
  options.runtime = slot;
  const Ref<Runtime> own = RuntimeFor(&options);
  EXPECT_EQ(own.get(), slot->Acquire().get());
  EXPECT_EQ(RuntimeFor(nullptr).get(), RuntimeSlot::Default().Acquire().get());
  options.runtime = nullptr;
  EXPECT_NE(RuntimeFor(&options).get(), own.get());
}

}  // namespace
}  // namespace chainstore
