#include "stores/filesystem/key_path.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace chainstore {
namespace {

std::string Encode(Bytes key) { return std::string(KeyPath(key).text()); }

TEST(KeyPathTest, KeepsPlainKeysReadable) {
  for (const char* plain : {"a", "a/b", "photos/2024/a cat, asleep.jpg", "x@y+z=1", "-", "a.b_c"}) {
    EXPECT_EQ(Encode(plain), plain);
  }
}

TEST(KeyPathTest, EscapesWhatAFileSystemWouldTakeForSomethingElse) {
  EXPECT_EQ(Encode("."), "%2E");
  EXPECT_EQ(Encode(".."), "%2E%2E");
  EXPECT_EQ(Encode("../x"), "%2E%2E/x");
  EXPECT_EQ(Encode("..."), "...");
  EXPECT_EQ(Encode("a/./b"), "a/%2E/b");
  EXPECT_EQ(Encode("/"), "%/%");
  EXPECT_EQ(Encode("/etc/passwd"), "%/etc/passwd");
  EXPECT_EQ(Encode("a/"), "a/%");
  EXPECT_EQ(Encode("a//b"), "a/%/b");
  EXPECT_EQ(Encode("%"), "%25");
  EXPECT_EQ(Encode("%%"), "%25%25");
  EXPECT_EQ(Encode("%2E"), "%252E");
  EXPECT_EQ(Encode(Bytes("\0", 1)), "%00");
  EXPECT_EQ(Encode("\xc3\xa4~"), "%C3%A4%7E");
  EXPECT_EQ(Encode("a\\b:c*d"), "a%5Cb%3Ac%2Ad");
}

TEST(KeyPathTest, ReservesItsOwnFolderAtTheRootOnly) {
  EXPECT_EQ(Encode(".chainstore"), "%2Echainstore");
  EXPECT_EQ(Encode(".chainstore/mode"), "%2Echainstore/mode");
  EXPECT_EQ(Encode("a/.chainstore"), "a/.chainstore");
  EXPECT_EQ(Encode(".chainstores"), ".chainstores");
}

TEST(KeyPathTest, ContinuesLongNamesInFolders) {
  EXPECT_EQ(Encode(std::string(255, 'a')), std::string(255, 'a'));
  EXPECT_EQ(Encode(std::string(256, 'a')), std::string(253, 'a') + "%~/aaa");
  EXPECT_EQ(Encode(std::string(85, '%')).size(), 255u);
  // 86 escapes are 258 bytes: 84 fit beside the mark, and none is cut.
  const std::string escaped = Encode(std::string(86, '%'));
  EXPECT_EQ(escaped.find('/'), 84 * 3 + 2u);
  EXPECT_EQ(escaped.substr(252), "%~/%25%25");
  const std::string longest = Encode(std::string(1024, 'a'));
  EXPECT_EQ(std::count(longest.begin(), longest.end(), '/'), 4);
  EXPECT_EQ(Encode(std::string(256, 'a') + "/b"), std::string(253, 'a') + "%~/aaa/b");
}

TEST(KeyPathTest, NamesTheFolderAndTheFile) {
  EXPECT_STREQ(KeyPath("a").name(), "a");
  EXPECT_EQ(KeyPath("a").folder(), "");
  EXPECT_STREQ(KeyPath("a/b/c").name(), "c");
  EXPECT_EQ(KeyPath("a/b/c").folder(), "a/b");
  const std::string key(256, 'a');
  const KeyPath path(key);
  EXPECT_STREQ(path.name(), "aaa");
  EXPECT_EQ(path.folder(), std::string(253, 'a') + "%~");
}

TEST(KeyPathTest, DecodesNothingThatItDoesNotEncode) {
  std::string key;
  for (const char* foreign : {"",
                              "/",
                              "/a",
                              "a/",
                              "a//b",
                              ".",
                              "..",
                              "a/..",
                              "./a",
                              "%2",
                              "%2e",
                              "%2G",
                              "%61",
                              "%2E.",
                              "%%",
                              "a/%%/b",
                              "a/%%/%%",
                              "%~",
                              "a%~",
                              "a%~/b",
                              "a/%~/b",
                              "~",
                              "a\\b",
                              "a/b%",
                              "%%%",
                              ".chainstore",
                              ".chainstore/mode",
                              "a/%2Echainstore",
                              "%/%%",
                              "file\n"}) {
    if (foreign == std::string("%/%%")) {
      EXPECT_FALSE(DecodePath(foreign, &key)) << "the empty key is none";
      continue;
    }
    EXPECT_FALSE(DecodePath(foreign, &key)) << foreign << " -> " << key;
  }
  EXPECT_TRUE(DecodePath("a/%%", &key));
  EXPECT_EQ(key, "a");
  EXPECT_TRUE(DecodePath("a/%/%%", &key));
  EXPECT_EQ(key, "a/");
  EXPECT_FALSE(DecodePath(std::string(1025, 'a'), &key));
  EXPECT_FALSE(DecodePath(std::string(253, 'a') + "%~/aa", &key)) << "it would have fitted";
  EXPECT_FALSE(DecodePath(std::string(252, 'a') + "%~/aaaa", &key)) << "cut too early";
  EXPECT_FALSE(DecodePath(std::string(253, 'a') + "%~/%%", &key));
}

// Keys of bytes that hurt, of every length; the same generator as the store's own test of escapes.
TEST(KeyPathTest, IsExactAndInjectiveAndStaysBelowTheRootForHostileKeys) {
  std::mt19937 random(7);
  const Bytes hostile("./%~\0aA.c\xff", 11);
  std::set<std::string> keys;
  std::set<std::string> paths;
  while (keys.size() < 10'000) {
    std::string made;
    const size_t size = 1 + (random() % 8 == 0 ? random() % kMaxKeySize : random() % 12);
    while (made.size() < size) {
      switch (random() % 12) {
        case 0:
          made += "../";
          break;
        case 1:
          made += ".chainstore/";
          break;
        case 2:
          made.append(random() % 300, 'x');
          break;
        case 3:
          made += static_cast<char>(random() % 256);
          break;
        default:
          made += hostile[random() % hostile.size()];
          break;
      }
    }
    made.resize(std::min(size, kMaxKeySize));
    if (!keys.insert(made).second) continue;
    const KeyPath path(made);
    Bytes rest = path.text();
    EXPECT_NE(rest.substr(0, rest.find('/')), ".chainstore");
    for (;;) {
      const size_t slash = rest.find('/');
      const Bytes name = rest.substr(0, slash);
      ASSERT_FALSE(name.empty() || name == "." || name == ".." || name == kOwnFile) << path.text();
      ASSERT_LE(name.size(), kMaxNameSize);
      ASSERT_EQ(name.find('\0'), Bytes::npos);
      if (slash == Bytes::npos) break;
      rest.remove_prefix(slash + 1);
    }
    std::string decoded;
    ASSERT_TRUE(DecodePath(path.text(), &decoded)) << path.text();
    ASSERT_EQ(decoded, made);
    ASSERT_TRUE(paths.insert(std::string(path.text())).second) << path.text();
  }
}

TEST(KeyPathTest, HasRoomForTheLongestPathOfAll) {
  for (const char filler : {'/', '.', '%', 'a', '\xff'}) {
    const std::string key(kMaxKeySize, filler);
    std::string decoded;
    EXPECT_TRUE(DecodePath(KeyPath(key).text(), &decoded));
    EXPECT_EQ(decoded, key);
    // A path relative to the root must fit one system call.
    EXPECT_LT(KeyPath(key).text().size(), 4096u - 4);
  }
}

}  // namespace
}  // namespace chainstore
