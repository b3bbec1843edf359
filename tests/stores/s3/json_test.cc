#include "stores/s3/json.h"

#include <gtest/gtest.h>

namespace chainstore::s3::json_test {
namespace {

std::string WhyNot(Bytes text) {
  std::string why;
  const auto root = ParseJson(text, &why);
  return root ? "" : why;
}

// The text of the member "a".
std::string TextOf(const std::string& written) {
  std::string why;
  const auto root = ParseJson("{\"a\":\"" + written + "\"}", &why);
  return root ? std::string(root->Text("a")) : "!" + why;
}

TEST(JsonTest, ReadsEveryKindOfValue) {
  std::string why;
  const auto root = ParseJson(
      " {\"text\" : \"t\", \"number\":-1.5e+3, \"yes\":true,\"no\":false,\"none\":null,"
      "\"list\":[1,[],\"x\"],\"object\":{\"in\":\"side\"},\"empty\":{}}\r\n\t",
      &why);
  ASSERT_TRUE(root) << why;
  EXPECT_EQ(root->Text("text"), "t");
  EXPECT_EQ(root->Find("number")->kind, JsonValue::Kind::kNumber);
  EXPECT_EQ(root->Find("number")->text.Reveal(), "-1.5e+3");
  EXPECT_EQ(root->Text("number"), "") << "it is no text";
  EXPECT_EQ(root->Find("yes")->text.Reveal(), "true");
  EXPECT_EQ(root->Find("no")->kind, JsonValue::Kind::kFlag);
  EXPECT_EQ(root->Find("none")->kind, JsonValue::Kind::kNull);
  ASSERT_EQ(root->Find("list")->members.size(), 3u);
  EXPECT_EQ(root->Find("list")->members[2].text.Reveal(), "x");
  EXPECT_EQ(root->Find("object")->Text("in"), "side");
  EXPECT_EQ(root->Find("nothing"), nullptr);
}

TEST(JsonTest, DecodesEscapes) {
  EXPECT_EQ(TextOf(R"(\"\\\/\b\f\n\r\t)"), "\"\\/\b\f\n\r\t");
  EXPECT_EQ(TextOf(R"(\u0041\u00e9\u20AC)"), "A\xc3\xa9\xe2\x82\xac");
  EXPECT_EQ(TextOf(R"(\ud83d\ude00)"), "\xf0\x9f\x98\x80");
  for (const char* wrong : {R"(\x)", R"(\u12)", R"(\u12g4)", R"(\ud83d)", R"(\ud83dx)",
                            R"(\ud83d\u0041)", R"(\ude00)", R"(\u+123)"}) {
    EXPECT_EQ(TextOf(wrong), "!the JSON has an escape that is none") << wrong;
  }
}

TEST(JsonTest, RefusesWhatIsNotStrictlyJson) {
  const char* const wrong[] = {
      "",        "{",          "}",           "[1",     "[1,]",    "{\"a\"}", "{\"a\":}", "{a:1}",
      "{'a':1}", "{\"a\":1,}", "{\"a\":1 2}", "01",     "1.",      ".5",      "1e",       "-",
      "+1",      "tru",        "TRUE",        "NaN",    "\"a",     "\"a\\",   "\"a\nb\"", "{} {}",
      "nul",     "[1 2]",      "{\"a\" 1}",   "<html>", "\"a\\\"", "[,1]"};
  for (const char* text : wrong) EXPECT_NE(WhyNot(text), "") << text;
  EXPECT_EQ(WhyNot("{\"a\":1,\"a\":2}"), "the JSON has a name twice in one object");
}

TEST(JsonTest, HasLimits) {
  EXPECT_EQ(WhyNot(std::string(15, '[') + std::string(15, ']')), "");
  EXPECT_EQ(WhyNot(std::string(100'000 / 2, '[')), "the JSON is nested too deeply");
  std::string many = "[0";
  for (int i = 0; i < 1000; ++i) many += ",0";
  EXPECT_EQ(WhyNot(many + "]"), "the JSON has too many values");
  EXPECT_EQ(WhyNot("\"" + std::string(kMaxJsonBytes, 'x') + "\""), "the JSON has more than 64 KiB");
}

TEST(JsonTest, ShowsNothingOfWhatItRefuses) {
  for (const char* text :
       {"unspoken", "{\"unspoken\" 1}", "{\"k\":\"unspoken", "[\"unspoken\"x]"}) {
    EXPECT_NE(WhyNot(text), "");
    EXPECT_EQ(WhyNot(text).find("unspoken"), std::string::npos);
  }
}

}  // namespace
}  // namespace chainstore::s3::json_test
