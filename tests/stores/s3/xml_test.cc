#include "stores/s3/xml.h"

#include <gtest/gtest.h>

namespace chainstore::s3::xml_test {
namespace {

std::string WhyNot(Bytes text) {
  std::string why;
  return ParseXml(text, &why) ? "" : why;
}

std::string Nested(int depth) {
  std::string text;
  for (int i = 0; i < depth; ++i) text += "<a>";
  for (int i = 0; i < depth; ++i) text += "</a>";
  return text;
}

TEST(XmlTest, ReadsElementsAndTheirText) {
  std::string why;
  const auto root = ParseXml(
      "<?xml version=\"1.0\"?><r xmlns=\"http://s3\"><K>a&amp;b&lt;&#65;</K><n:L>x</n:L>"
      "<K>second</K><E/></r>",
      &why);
  ASSERT_TRUE(root) << why;
  EXPECT_EQ(root->name, "r");
  EXPECT_EQ(root->Text("K"), "a&b<A");
  EXPECT_EQ(root->Text("L"), "x") << "whatever its prefix";
  EXPECT_EQ(root->Text("E"), "");
  EXPECT_EQ(root->Find("none"), nullptr);
  EXPECT_EQ(root->children.size(), 4u);
}

TEST(XmlTest, RefusesWhatIsNoDocument) {
  for (const Bytes wrong :
       {"", "text", "<a>", "<a></b>", "<a/><b/>", "<a>\x01</a>", "<a>\xff</a>"}) {
    EXPECT_NE(WhyNot(wrong), "") << wrong;
  }
}

TEST(XmlTest, RefusesDocumentTypesAndSoEveryBomb) {
  EXPECT_EQ(WhyNot("<!DOCTYPE lolz [<!ENTITY lol \"lol\"><!ENTITY lol1 \"&lol;&lol;\">]>"
                   "<r>&lol1;</r>"),
            "the XML declares a document type");
  EXPECT_EQ(WhyNot("<!DOCTYPE r SYSTEM \"file:///etc/passwd\"><r/>"),
            "the XML declares a document type");
}

TEST(XmlTest, KeepsItsLimits) {
  EXPECT_EQ(WhyNot(Nested(kMaxXmlDepth)), "");
  EXPECT_NE(WhyNot(Nested(kMaxXmlDepth + 1)), "");
  std::string wide = "<r>";
  for (size_t i = 0; i < kMaxXmlNodes; ++i) wide += "<a/>";
  EXPECT_EQ(WhyNot(wide + "</r>"), "the XML has too many elements");
  EXPECT_EQ(WhyNot("<r>" + std::string(kMaxXmlBytes, ' ') + "</r>"), "the XML has more than 8 MiB");
}

TEST(XmlTest, EscapesSoThatItReadsTheSame) {
  const std::string text = "<a> & \"b\" 'c' \r\n ]]> \xc3\xa4";
  std::string why;
  const auto root = ParseXml("<r>" + EscapeXml(text) + "</r>", &why);
  ASSERT_TRUE(root) << why;
  EXPECT_EQ(root->text, text);
}

}  // namespace
}  // namespace chainstore::s3::xml_test
