#include "stores/s3/secret_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>

#include "support/temporary_directory.h"

namespace chainstore::s3::secret_file_test {
namespace {

TEST(SecretFileTest, ReadsASmallFileThroughLinks) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/token";
  std::ofstream(path) << "token\n";
  Secret text;
  ASSERT_EQ(ReadSecretFile(path, 6, &text), 0);
  EXPECT_EQ(text.Reveal(), "token\n");
  EXPECT_EQ(ReadSecretFile(path, 5, &text), EFBIG);
  ASSERT_EQ(symlink(path.c_str(), (path + ".link").c_str()), 0);
  EXPECT_EQ(ReadSecretFile(path + ".link", 6, &text), 0);
}

TEST(SecretFileTest, SaysWhatIsWrong) {
  const TemporaryDirectory directory;
  Secret text;
  EXPECT_EQ(ReadSecretFile(directory.path() + "/none", 10, &text), ENOENT);
  EXPECT_EQ(ReadSecretFile(directory.path(), 10, &text), EISDIR);
}

TEST(SecretFileTest, NeverWaitsForAPipe) {
  const TemporaryDirectory directory;
  const std::string path = directory.path() + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  Secret text;
  EXPECT_EQ(ReadSecretFile(path, 10, &text), 0);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace chainstore::s3::secret_file_test
