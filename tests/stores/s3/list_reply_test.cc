#include "stores/s3/list_reply.h"

#include <gtest/gtest.h>

namespace chainstore::s3::list_reply_test {
namespace {

std::string Contents(const std::string& key, const char* size = "5") {
  return "<Contents><Key>" + key + "</Key><Size>" + size + "</Size><ETag>e</ETag></Contents>";
}

// The keys, or what is wrong in brackets.
std::string Read(const std::string& inside, Bytes prefix = "", Bytes after = "") {
  std::string why;
  const auto root = ParseXml("<ListBucketResult>" + inside + "</ListBucketResult>", &why);
  if (!root) return why;
  ListReply list;
  if (const char* wrong = list.Read(*root, prefix, after)) return "(" + std::string(wrong) + ")";
  std::string text;
  for (const auto& object : list.objects)
    text += object.key + ":" + std::to_string(object.size) + " ";
  return text + (list.truncated ? "..." : "");
}

TEST(ListReplyTest, DecodesKeysOnlyIfTheReplySaysSo) {
  EXPECT_EQ(Read("<EncodingType>url</EncodingType>" + Contents("a%2Fb+c")), "a/b c:5 ");
  EXPECT_EQ(Read(Contents("a%2Fb+c")), "a%2Fb+c:5 ") << "a server that ignored what was asked";
  EXPECT_EQ(Read(Contents("a&lt;&amp;b")), "a<&b:5 ");
  EXPECT_EQ(Read("<IsTruncated>true</IsTruncated>" + Contents("a")), "a:5 ...");
  EXPECT_EQ(Read(""), "");
}

TEST(ListReplyTest, BelievesNoListThatCannotBe) {
  EXPECT_EQ(Read(Contents("b"), "a"), "(the list holds a key outside its prefix)");
  EXPECT_EQ(Read(Contents("a"), "", "a"), "(the list is not in the order of its keys)");
  EXPECT_EQ(Read(Contents("b") + Contents("a")), "(the list is not in the order of its keys)");
  EXPECT_EQ(Read(Contents("a") + Contents("a")), "(the list is not in the order of its keys)");
  EXPECT_EQ(Read(Contents("a", "x")), "(an object in the list has no size)");
  EXPECT_EQ(Read(Contents("a", "")), "(an object in the list has no size)");
  EXPECT_EQ(Read("<IsTruncated>true</IsTruncated>"), "(the list goes on, and holds nothing)");
  EXPECT_EQ(Read("<EncodingType>url</EncodingType>" + Contents("%")),
            "(a key in the list is not encoded as the list says)");
}

TEST(ListReplyTest, ReadsWhatDeleteObjectsRefused) {
  std::string why;
  const auto root = ParseXml(
      "<DeleteResult><Deleted><Key>a</Key></Deleted><Error><Key>b&amp;</Key><Code>AccessDenied"
      "</Code><Message>no</Message></Error></DeleteResult>",
      &why);
  DeleteReply reply;
  reply.Read(*root);
  ASSERT_EQ(reply.refused.size(), 1u);
  EXPECT_EQ(reply.refused[0].key, "b&");
  EXPECT_EQ(reply.refused[0].code, "AccessDenied");
}

TEST(ListReplyTest, WritesADeleteDocumentThatReadsBack) {
  std::string why;
  const auto root = ParseXml(DeleteDocument({"a<&>", " b "}), &why);
  ASSERT_TRUE(root) << why;
  EXPECT_EQ(root->children[0].Text("Key"), "a<&>");
  EXPECT_EQ(root->children[1].Text("Key"), " b ");
  EXPECT_EQ(root->Text("Quiet"), "true");
}

}  // namespace
}  // namespace chainstore::s3::list_reply_test
