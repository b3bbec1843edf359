#include "stores/s3/credential_process.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>

#include "support/temporary_directory.h"

namespace chainstore::s3::credential_process_test {
namespace {

using Words = std::vector<std::string>;

Words Split(Bytes command) {
  Words words;
  return SplitCommand(command, &words) ? words : Words{"!"};
}

std::string Execute(const Words& words, int64_t timeout_ms = 10'000) {
  Result<Secret> output = RunProgram(words, timeout_ms, nullptr);
  return output.ok() ? std::string(output->Reveal()) : "!" + output.status().error()->message();
}
std::string Shell(const std::string& script) { return Execute({"sh", "-c", script}); }

TEST(CredentialProcessTest, SplitsACommandLineAsAShellWould) {
  EXPECT_EQ(Split("  a  b\tc "), (Words{"a", "b", "c"}));
  EXPECT_EQ(Split(R"("/my dir/x" 'it is' "" a"b"'c')"), (Words{"/my dir/x", "it is", "", "abc"}));
  EXPECT_EQ(Split(R"(a\ b "c\"d\\e\f" 'g\h')"), (Words{"a b", "c\"d\\e\\f", "g\\h"}));
  for (const char* wrong : {"", "  ", "\"a", "'a", "a\\"}) EXPECT_EQ(Split(wrong), Words{"!"});
}

TEST(CredentialProcessTest, IsNoShell) {
  EXPECT_EQ(Execute({"echo", "$HOME", "`id`", ";", "exit"}), "$HOME `id` ; exit\n");
}

TEST(CredentialProcessTest, GivesTheProgramAQuietWorld) {
  EXPECT_EQ(Shell("cat; echo end"), "end\n") << "there is no input";
  EXPECT_EQ(Shell("echo message >&2"), "") << "messages go nowhere";
  EXPECT_EQ(Shell("grep SigBlk /proc/self/status"), "SigBlk:\t0000000000000000\n");
  EXPECT_EQ(Shell("ls /proc/self/fd | tr '\\n' ' '"), "0 1 2 3 ") << "3 is the folder itself";
}

TEST(CredentialProcessTest, SaysHowItFailed) {
  EXPECT_EQ(Execute({"/no/such/program"}),
            "!the credential process cannot be started: No such file or directory");
  EXPECT_NE(Shell("echo unspoken; echo unspoken >&2; exit 3").find("failed with code 3"),
            std::string::npos);
  EXPECT_EQ(Shell("echo unspoken; exit 3").find("unspoken"), std::string::npos);
  EXPECT_EQ(Shell("kill -9 $$"), "!the credential process died of signal 9");
  EXPECT_EQ(Shell("head -c 70000 /dev/zero"), "!the credential process wrote more than 64 KiB");
  EXPECT_EQ(Shell("cat /dev/zero"), "!the credential process wrote more than 64 KiB");
}

TEST(CredentialProcessTest, KillsWhatTakesTooLongWithAllThatItStarted) {
  const TemporaryDirectory directory;
  const std::string pid_file = directory.path() + "/pid";
  EXPECT_EQ(Execute({"sh", "-c", "sleep 1000 & echo $! > " + pid_file + "; wait"}, 300),
            "!the credential process took too long and was killed");
  pid_t pid = 0;
  std::ifstream(pid_file) >> pid;
  ASSERT_GT(pid, 0);
  // The signal is on its way; then it may stay as a zombie that whoever inherited it reaps late.
  const auto gone = [pid] {
    std::string state;
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::getline(stat, state);
    return state.empty() || state.find(") Z") != std::string::npos;
  };
  const int64_t limit_ns = Clock::System().DeadlineAfterMs(10'000);
  while (!gone() && Clock::System().SteadyNs() < limit_ns) std::this_thread::yield();
  EXPECT_TRUE(gone());
}

TEST(CredentialProcessTest, DoesNotWaitForWhatKeepsItsPipeOpen) {
  EXPECT_EQ(Shell("(sleep 3 &) ; echo done"), "done\n");
}

TEST(CredentialProcessTest, EndsWhenTheStoreCloses) {
  auto stop = MakeRef<CancelToken>();
  const TemporaryDirectory directory;
  const std::string fifo = directory.path() + "/started";
  std::thread closer([&] {
    while (access(fifo.c_str(), F_OK) != 0) std::this_thread::yield();
    stop->Fire();
  });
  const Result<Secret> output =
      RunProgram({"sh", "-c", "touch " + fifo + "; sleep 1000"}, 60'000, stop);
  closer.join();
  EXPECT_TRUE(output.status().Is(Code::kClosed));
  EXPECT_TRUE(RunProgram({"sleep", "1000"}, 60'000, stop).status().Is(Code::kClosed))
      << "it had fired before";
}

TEST(CredentialProcessTest, WorksWhereTheHostLetsNobodyWaitForChildren) {
  const auto before = signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(Shell("echo x"), "x\n");
  signal(SIGCHLD, before);
}

TEST(CredentialProcessTest, TakesCredentialsOfVersionOne) {
  const auto fetch = [](const std::string& json) {
    return FetchFromProcess("printf '%s' '" + json + "'", 10'000, nullptr);
  };
  auto found = fetch(R"({"Version":1,"AccessKeyId":"id","SecretAccessKey":"s","SessionToken":"t",)"
                     R"("Expiration":"2013-05-24T00:00:00Z"})");
  ASSERT_TRUE(found.ok()) << found.status().ToString();
  EXPECT_EQ((*found)->access_key, "id");
  EXPECT_EQ((*found)->session_token.Reveal(), "t");
  EXPECT_EQ((*found)->expires_at_ms, 1'369'353'600'000);
  for (const char* wrong : {R"({"AccessKeyId":"id","SecretAccessKey":"unspoken"})", "unspoken", "",
                            R"({"Version":2,"AccessKeyId":"id","SecretAccessKey":"unspoken"})"}) {
    found = fetch(wrong);
    EXPECT_TRUE(found.status().Is(Code::kDenied)) << wrong;
    EXPECT_EQ(found.status().ToString().find("unspoken"), std::string::npos);
  }
  EXPECT_FALSE(FetchFromProcess("'open", 10'000, nullptr).ok());
}

}  // namespace
}  // namespace chainstore::s3::credential_process_test
