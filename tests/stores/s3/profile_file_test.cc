#include "stores/s3/profile_file.h"

#include <gtest/gtest.h>

namespace chainstore::s3::profile_file_test {
namespace {

constexpr auto kConfig = ProfileFiles::Kind::kConfig;
constexpr auto kCredentials = ProfileFiles::Kind::kCredentials;

ProfileFiles Read(Bytes config, Bytes credentials = "") {
  ProfileFiles files;
  EXPECT_TRUE(files.Add(config, kConfig, "config").ok());
  EXPECT_TRUE(files.Add(credentials, kCredentials, "credentials").ok());
  return files;
}

// "-": there is no such profile.
std::string Setting(const ProfileFiles& files, Bytes profile, Bytes setting) {
  const Profile* const found = files.Find(profile);
  return found ? found->Text(setting) : "-";
}

TEST(ProfileFileTest, ReadsProfilesOfBothFilesAndCredentialsWin) {
  const ProfileFiles files = Read(
      "[default]\r\nregion = eu-west-1\r\n"
      "[profile a]\nRegion=one\naws_access_key_id = from config\n"
      "[profile   \"b c\" ]\nregion = two\n",
      "[a]\naws_access_key_id=from credentials\n[only]\nx = y");
  EXPECT_EQ(Setting(files, "default", "region"), "eu-west-1");
  EXPECT_EQ(Setting(files, "a", "region"), "one") << "names are in lower case, whatever is written";
  EXPECT_EQ(Setting(files, "a", "aws_access_key_id"), "from credentials");
  EXPECT_EQ(Setting(files, "b c", "region"), "two");
  EXPECT_EQ(Setting(files, "only", "x"), "y");
  EXPECT_EQ(Setting(files, "none", "x"), "-");
}

TEST(ProfileFileTest, TakesEachKindOfSectionForWhatItIs) {
  const ProfileFiles files = Read(
      "[a]\nx = not a profile here\n[services s]\ns3 =\n  endpoint_url = u\nno setting\n"
      "[sso-session s]\nsso_region = r\n[profiles]\nx = 1\n[profile]\nx = 1\n[profile s]\nx = 2\n",
      "[profile p]\nx = 1\n");
  EXPECT_EQ(Setting(files, "a", "x"), "-");
  EXPECT_EQ(Setting(files, "s", "x"), "2");
  EXPECT_EQ(Setting(files, "s", "sso_region"), "");
  ASSERT_TRUE(files.FindSsoSession("s"));
  EXPECT_EQ(files.FindSsoSession("s")->Get("sso_region"), "r");
  EXPECT_EQ(files.FindSsoSession("p"), nullptr);
  EXPECT_EQ(Setting(files, "p", "x"), "-") << "the word belongs into config only";
  EXPECT_EQ(Setting(files, "profile p", "x"), "1");
}

TEST(ProfileFileTest, TheLongNameOfTheDefaultProfileReplacesTheShortOne) {
  const ProfileFiles files =
      Read("[profile default]\nregion = long\n[default]\nregion = short\noutput = text\n");
  EXPECT_EQ(Setting(files, "default", "region"), "long");
  EXPECT_EQ(Setting(files, "default", "output"), "");
}

TEST(ProfileFileTest, MergesWhatStandsTwice) {
  const ProfileFiles files = Read("", "[a]\nx = 1\ny = 1\n[b]\n[a]\nx = 2\nx = 3\n");
  EXPECT_EQ(Setting(files, "a", "x"), "3");
  EXPECT_EQ(Setting(files, "a", "y"), "1");
}

TEST(ProfileFileTest, TellsCommentsFromValues) {
  const ProfileFiles files = Read("",
                                  "\xef\xbb\xbf# comment\n; comment\n\n   # indented\n[a] ; why\n"
                                  "x = a;b#c = d ; comment\ny = v\t# comment\nz = # nothing\n"
                                  "secret = ab/+c==\nempty =\n");
  EXPECT_EQ(Setting(files, "a", "x"), "a;b#c = d");
  EXPECT_EQ(Setting(files, "a", "y"), "v");
  EXPECT_EQ(Setting(files, "a", "z"), "");
  EXPECT_EQ(Setting(files, "a", "secret"), "ab/+c==");
  EXPECT_EQ(Setting(files, "a", "empty"), "");
}

TEST(ProfileFileTest, WhatIsIndentedDeeperBelongsToTheSettingAbove) {
  const ProfileFiles files = Read("",
                                  "[a]\ns3 =\n  x = nested\n  not a setting\ny = 1\n"
                                  "[b]\n  x = 1\n  y = 2\n    z = nested\n");
  EXPECT_EQ(Setting(files, "a", "x"), "");
  EXPECT_EQ(Setting(files, "a", "y"), "1");
  EXPECT_EQ(Setting(files, "b", "x"), "1") << "a whole section may be indented";
  EXPECT_EQ(Setting(files, "b", "y"), "2");
  EXPECT_EQ(Setting(files, "b", "z"), "");
}

TEST(ProfileFileTest, NamesTheLineThatIsWrongAndShowsNothingOfIt) {
  for (const char* text :
       {"[a]\nunspoken", "\nunspoken = 1\n", "[a]\n= unspoken", "[a]\n[unspoken\n"}) {
    ProfileFiles files;
    const Status status = files.Add(text, kCredentials, "the/file");
    ASSERT_TRUE(status.Is(Code::kDenied)) << text;
    EXPECT_EQ(status.error()->message(),
              "the/file, line 2 is neither a section nor a setting of one");
  }
}

}  // namespace
}  // namespace chainstore::s3::profile_file_test
