#include "text/parser.h"

#include <gtest/gtest.h>

#include <cstring>

namespace chainstore::text {
namespace {

const char* Fake(const char* name) {
  if (strcmp(name, "DIR") == 0) return "/data > here";
  if (strcmp(name, "PASSWORD") == 0) return "hunter2";
  if (strcmp(name, "SIZE") == 0) return "64MiB";
  return nullptr;
}

Result<Node> ParseText(std::string_view text) {
  Dialect dialect;
  dialect.environment = &Fake;
  return Parse(text, dialect);
}

// The message of what is refused; of what is not: a failure.
std::string RefusalOf(std::string_view text) {
  const Result<Node> parsed = ParseText(text);
  if (parsed.ok()) return "it was accepted: " + std::string(text.substr(0, 100));
  EXPECT_TRUE(parsed.status().Is(Code::kInvalid));
  return parsed.status().error()->message();
}

std::string ValueOf(const Node& node, std::string_view name) {
  const Node::Value* const value = node.Find(name);
  return value ? value->text : "(none)";
}

// The tree as names and parentheses.
std::string Shape(const Node& node) {
  std::string shape = node.scheme->name;
  if (node.inner.empty()) return shape;
  shape += "(";
  for (const Node& inner : node.inner) shape += Shape(inner) + " ";
  shape.back() = ')';
  return shape;
}
std::string ShapeOf(std::string_view text) {
  const Result<Node> parsed = ParseText(text);
  return parsed.ok() ? Shape(*parsed) : parsed.status().error()->message();
}

TEST(ParserTest, StoresManagersAndChainsNest) {
  EXPECT_EQ(ShapeOf("memory:"), "memory");
  EXPECT_EQ(ShapeOf("(memory:)"), "memory");
  EXPECT_EQ(ShapeOf("memory: > file:/d"), "chain(memory file)");
  EXPECT_EQ(ShapeOf("memory:>(lmdb:/a>file:/d)"), "chain(memory chain(lmdb file))");
  EXPECT_EQ(ShapeOf("lru(500MB, lmdb:/var/cache) > behind(journal=off, file:/r)"),
            "chain(lru(lmdb) behind(file))");
  EXPECT_EQ(ShapeOf("lru(1GB, memory: > file:/d)"), "lru(chain(memory file))");
  EXPECT_EQ(ShapeOf("behind((file:/a > file:/b))"), "behind(chain(file file))");
  EXPECT_EQ(ShapeOf("chain(fill=off, memory: > file:/d)"), "chain(memory file)");
  EXPECT_EQ(ShapeOf("chain(fill=off, (memory: > file:/d))"), "chain(chain(memory file))");
  EXPECT_EQ(ShapeOf("chain(memory:)"), "chain(memory)");
  EXPECT_EQ(ShapeOf("\n lru ( 1GB ,\tmemory: )\r\n"), "lru(memory)");
}

TEST(ParserTest, ValuesAreTakenByPositionAndByName) {
  const auto lru =
      ParseText("lru(500MB, cushion=10%, policy=lru, memory:?max_bytes=1GiB&shards=4)");
  ASSERT_TRUE(lru.ok()) << lru.status().ToString();
  EXPECT_EQ(ValueOf(*lru, "max_bytes"), "500MB");
  EXPECT_EQ(ValueOf(*lru, "cushion"), "10%");
  EXPECT_EQ(ValueOf(lru->inner[0], "max_bytes"), "1GiB");
  EXPECT_EQ(ValueOf(lru->inner[0], "shards"), "4");
  const auto named = ParseText("lru(max_bytes=1, memory:)");
  ASSERT_TRUE(named.ok());
  EXPECT_EQ(ValueOf(*named, "max_bytes"), "1");
  const auto chain = ParseText("chain(writes=behind, max_entries=7, memory: > file:/d)");
  ASSERT_TRUE(chain.ok()) << "a chain passes options on";
  EXPECT_EQ(ValueOf(*chain, "max_entries"), "7");
}

TEST(ParserTest, ValuesAreDecoded) {
  const auto file = ParseText("file:/a%20b%2c:c=d&e?verify=off");
  ASSERT_TRUE(file.ok()) << file.status().ToString();
  EXPECT_EQ(ValueOf(*file, "directory"), "/a b,:c=d&e");
  EXPECT_EQ(RefusalOf("file:/a%2x"), "column 8: '%2x' is no %XX; a percent sign is written %25");
  EXPECT_EQ(RefusalOf("file:/a%00b"), "column 6: there is a NUL in the value");
}

TEST(ParserTest, TheEnvironmentIsExpandedAndNeverShown) {
  const auto file = ParseText("file:${DIR}/x");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(ValueOf(*file, "directory"), "/data > here/x");
  EXPECT_EQ(file->Find("directory")->written, "${DIR}/x");
  EXPECT_EQ(RefusalOf("file:/a/${NOBODY}"), "column 9: ${NOBODY} is not set in the environment");
  EXPECT_EQ(RefusalOf("file:${"),
            "column 6: '${' and no NAME} behind it; a dollar sign is written %24");
  EXPECT_EQ(RefusalOf("file:${}"),
            "column 6: '${' and no NAME} behind it; a dollar sign is written %24");
  EXPECT_EQ(RefusalOf("file:${1A}"),
            "column 6: '${' and no NAME} behind it; a dollar sign is written %24");
  EXPECT_EQ(RefusalOf("lru(${PASSWORD}, memory:)"),
            "column 5: max_bytes: what '${PASSWORD}' holds is not of the form size");
  EXPECT_EQ(RefusalOf("behind(${PASSWORD}, memory:)").find("hunter2"), std::string::npos);
  EXPECT_TRUE(ParseText("lru(${SIZE}, memory:)").ok());
}

TEST(ParserTest, UnknownNamesAreNamedWithTheNearOne) {
  EXPECT_EQ(RefusalOf("lur(1GB, memory:)"), "column 1: unknown manager 'lur'; did you mean 'lru'?");
  EXPECT_EQ(RefusalOf("memory: > lmbd:/x"),
            "column 11: unknown store 'lmbd'; did you mean 'lmdb'?");
  EXPECT_EQ(RefusalOf("lru(1GB, cushoin=3%, memory:)"),
            "column 10: unknown option 'cushoin' of 'lru'; did you mean 'cushion'?");
  EXPECT_EQ(RefusalOf("file:/d?verfy=on"),
            "column 9: unknown option 'verfy' of 'file'; did you mean 'verify'?");
  EXPECT_EQ(RefusalOf("file:/d?zzzzzzzzzzzz=on")
                .find("column 9: unknown option 'zzzzzzzzzzzz' of "
                      "'file'; known: directory durability verify"),
            0u);
  EXPECT_EQ(RefusalOf("lur:x"), "column 1: unknown store 'lur'; did you mean 'lru'?");
  EXPECT_EQ(RefusalOf("memory(1)"), "column 1: 'memory' is a store; write 'memory:'");
  EXPECT_EQ(RefusalOf("lru:1"), "column 1: 'lru' is a manager; write 'lru(...)'");
  EXPECT_EQ(RefusalOf("memory"), "column 1: 'memory' alone is nothing; write 'memory:'");
  EXPECT_EQ(RefusalOf("custom:mine"),
            "column 1: 'custom:' is a store of a program's own; only cs_custom_new can make it");
  EXPECT_EQ(RefusalOf("/srv/data").find("column 1: '/' cannot stand here; a store (memory: "), 0u);
  EXPECT_EQ(RefusalOf("data").find("column 1: 'data' is neither a store nor a manager; a store ("),
            0u);
}

TEST(ParserTest, TheColumnCountsCharacters) {
  EXPECT_EQ(RefusalOf("file:/\xc3\xbc > lur(1, memory:)").find("column 11: "), 0u);
  EXPECT_EQ(RefusalOf("memory: \xc3\xbc"),
            "column 9: '\xc3\xbc' cannot stand here; '>' and another store, or the end could");
  EXPECT_EQ(RefusalOf(std::string("memory: \x01", 9)),
            "column 9: '\\x01' cannot stand here; '>' and another store, or the end could");
}

TEST(ParserTest, AManagerNeedsItsStore) {
  EXPECT_EQ(RefusalOf("behind()"),
            "column 8: 'behind' has no store: the last in its parentheses is "
            "the store, or chain, that it wraps");
  EXPECT_EQ(RefusalOf("lru(500MB)").find("column 10: 'lru' has no store"), 0u);
  EXPECT_EQ(RefusalOf("lru(500MB, )").find("column 12: 'lru' has no store"), 0u);
  EXPECT_EQ(RefusalOf("lru(500MB").find("column 10: the text ends here; ','"), 0u);
  EXPECT_EQ(RefusalOf("lru(memory:, 500MB)"),
            "column 12: ',' cannot stand here: the store is the last in the parentheses");
  EXPECT_EQ(RefusalOf("lru(memory:)"),
            "column 1: 'lru' needs max_bytes (size): the capacity: the most that the entries may "
            "take");
  EXPECT_EQ(RefusalOf("file:"),
            "column 6: 'file' needs directory (text): where it is kept; made if it is not there");
  EXPECT_EQ(
      RefusalOf("lru(1, 2, memory:)").find("column 8: '2' is one argument too many for 'lru'"), 0u);
  EXPECT_EQ(RefusalOf("lru(cushion=1%, 2, memory:)"),
            "column 17: '2' stands behind an option; arguments come first");
  EXPECT_EQ(RefusalOf("lru(1, max_bytes=2, memory:)"), "column 18: 'max_bytes' is given twice");
  EXPECT_EQ(RefusalOf("file:/d?verify=on&verify=on"), "column 26: 'verify' is given twice");
}

TEST(ParserTest, WrongSigns) {
  EXPECT_EQ(RefusalOf("").find("column 1: the text ends here; a store ("), 0u);
  EXPECT_EQ(RefusalOf("memory: >").find("column 10: the text ends here; a store ("), 0u);
  EXPECT_EQ(RefusalOf("memory: file:/d"),
            "column 9: 'f' cannot stand here; '>' and another store, or the end could");
  EXPECT_EQ(RefusalOf("(memory:"), "column 9: the text ends here; ')' could stand here");
  EXPECT_EQ(RefusalOf("memory:)"),
            "column 8: ')' cannot stand here; '>' and another store, or the end could");
  EXPECT_EQ(RefusalOf("memory:x"),
            "column 8: 'x' cannot stand here; nothing, or '?' and options, could");
  EXPECT_EQ(RefusalOf("memory:?"),
            "column 9: the text ends here; the name of an option could stand "
            "here");
  EXPECT_EQ(RefusalOf("memory:?shards"),
            "column 15: the text ends here; '=' and the value of 'shards' could stand here");
  EXPECT_EQ(RefusalOf("file:/a(b)"),
            "column 8: '(' cannot stand here; '>' and another store, or the end could");
}

TEST(ParserTest, SizesAndDurationsThatOverflowLackAUnitOrCarryAWrongOne) {
  EXPECT_EQ(RefusalOf("lru(99999999999999999999, memory:)"),
            "column 5: max_bytes: '99999999999999999999' is too large");
  EXPECT_EQ(RefusalOf("lru(99999999TiB, memory:)"),
            "column 5: max_bytes: '99999999TiB' is too large");
  EXPECT_EQ(RefusalOf("lru(5XB, memory:)"),
            "column 5: max_bytes: '5XB' is not a size, such as 512, 64KiB, 500MB or 10GiB");
  EXPECT_EQ(RefusalOf("timeout(2, memory:)"),
            "column 9: timeout: '2' is not a duration with a unit, such as 250ms, 2s, 5m or 1h");
  EXPECT_EQ(RefusalOf("timeout(2MB, memory:)").find("column 9: timeout: '2MB' is not a duration"),
            0u);
  EXPECT_EQ(RefusalOf("timeout(99999999999999999h, memory:)"),
            "column 9: timeout: '99999999999999999h' is too large");
  EXPECT_EQ(RefusalOf("memory:?shards=-1"), "column 16: shards: '-1' is not a whole number");
  EXPECT_EQ(RefusalOf("lru(1, cushion=101%, memory:)"),
            "column 16: cushion: a percentage is at most 100");
  EXPECT_EQ(RefusalOf("file:/d?verify=yes"), "column 16: verify: 'yes' is not one of on|off");
}

TEST(ParserTest, WhatWasMaskedCannotBeOpened) {
  EXPECT_EQ(RefusalOf("log(***, memory:)"),
            "column 5: '***' stands for a secret, or a function, that was not shown; give a secret "
            "as ${NAME}");
}

TEST(ParserTest, LongTextAndDeepTextAreRefused) {
  const std::string long_path = "file:/" + std::string(65 << 10, 'a');
  EXPECT_EQ(RefusalOf(long_path), "the text has more than 65536 bytes, which are the most");
  EXPECT_TRUE(ParseText(long_path.substr(0, kMaxTextSize)).ok());
  const auto nested = [](size_t levels) {
    return std::string(levels, '(') + "memory:" + std::string(levels, ')');
  };
  EXPECT_TRUE(ParseText(nested(32)).ok());
  EXPECT_EQ(RefusalOf(nested(33)), "column 33: more than 32 levels of parentheses");
  std::string managers = "memory:";
  for (int level = 0; level < 33; ++level) managers = "behind(" + managers + ")";
  EXPECT_EQ(RefusalOf(managers), "column 231: more than 32 levels of parentheses");
  std::string links = "memory:";
  for (int link = 1; link < 33; ++link) links += ">memory:";
  EXPECT_EQ(RefusalOf(links),
            "column 257: a chain has at most 32 stores; a chain can be one of them");
}

}  // namespace
}  // namespace chainstore::text
