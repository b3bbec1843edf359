#include "text/escape.h"

#include <gtest/gtest.h>

#include "text/value_reader.h"

namespace chainstore::text {
namespace {

const char* Nothing(const char*) { return nullptr; }

TEST(EscapeTest, EveryByteIsReadBackAsItWas) {
  for (const Place place : {Place::kPath, Place::kValue}) {
    for (int byte = 1; byte < 256; ++byte) {
      for (const char* shape : {"X", "aXb", "aX"}) {
        std::string value = shape;
        value[value.find('X')] = static_cast<char>(byte);
        const std::string text = Escape(value, place);
        size_t at = 0;
        Node::Value read;
        ASSERT_TRUE(ValueReader(text, &Nothing, &at).Read(" \t\r\n>,()?", &read).ok()) << text;
        EXPECT_EQ(read.text, value) << text;
        EXPECT_EQ(at, text.size()) << text;
      }
    }
  }
}

TEST(EscapeTest, WhatNeedsNoEscapeHasNone) {
  EXPECT_EQ(Escape("/var/cache/app-1_2.3~", Place::kPath), "/var/cache/app-1_2.3~");
  EXPECT_EQ(Escape("a=b&c:d", Place::kPath), "a=b&c:d");
  EXPECT_EQ(Escape("a=b&c:d", Place::kValue), "a%3Db%26c%3Ad");
  EXPECT_EQ(Escape("10%", Place::kValue), "10%");
  EXPECT_EQ(Escape("1%0", Place::kValue), "1%250");
  EXPECT_EQ(Escape("${HOME}", Place::kPath), "%24{HOME}");
}

TEST(EscapeTest, QuotesShowWhatCannotBeSeenAndCutWhatIsLong) {
  EXPECT_EQ(Quote("lur"), "'lur'");
  EXPECT_EQ(Quote("a\nb\x7f"), "'a\\x0Ab\\x7F'");
  EXPECT_EQ(Quote(std::string(41, 'x')), "'" + std::string(40, 'x') + "...'");
  EXPECT_EQ(FirstCharacter("\xc3\xbc!"), "\xc3\xbc");
  EXPECT_EQ(FirstCharacter(""), "");
}

}  // namespace
}  // namespace chainstore::text
