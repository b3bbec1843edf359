#include "stores/s3/credential_process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/file.h"
#include "stores/s3/credential_reply.h"

namespace chainstore::s3 {
namespace {

constexpr size_t kMaxOutputBytes = kMaxJsonBytes;

Failure ProcessFailure(std::string what) {
  return Failure(Code::kDenied, "the credential process " + std::move(what));
}

// Takes a poll out of its sleep when the token fires.
class StopAlarm final : private CancelWatch {
 public:
  explicit StopAlarm(const Ref<CancelToken>& stop) : event_(eventfd(0, EFD_CLOEXEC)) {
    if (!Watch(stop) && stop) Wake();
  }
  ~StopAlarm() override { Stop(); }
  int fd() const noexcept { return event_.get(); }

 private:
  void Wake() noexcept override { eventfd_write(event_.get(), 1); }
  const FileDescriptor event_;
};

class Program {
 public:
  ~Program() {
    if (running_) Kill();
    OPENSSL_cleanse(output_.data(), output_.size());
  }

  // 0 or an errno.
  int Start(const std::vector<std::string>& words);
  Result<Secret> Finish(int64_t deadline_ns, const Ref<CancelToken>& stop);

 private:
  // False: nothing more will come.
  bool ReadSome();
  void Kill();
  Result<Secret> Reap();

  pid_t pid_ = -1;
  bool running_ = false;
  FileDescriptor out_;
  FileDescriptor exit_;  // becomes readable when the program has ended; not every kernel has it
  // At once: a string that grows leaves copies behind.
  std::string output_ = std::string(kMaxOutputBytes + 1, '\0');
  size_t size_ = 0;
};

int Program::Start(const std::vector<std::string>& words) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return errno;
  out_ = FileDescriptor(ends[0]);
  const FileDescriptor in(ends[1]);
  fcntl(out_.get(), F_SETFL, O_NONBLOCK);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, in.get(), 1);
  // What it says there may hold secrets, and this may be anybody's terminal.
  posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
  posix_spawn_file_actions_addclosefrom_np(&files, 3);
#endif
  // The library's threads block all signals; the program must not inherit that.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  const int failed = posix_spawnp(&pid_, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) return failed;
  running_ = true;
  exit_ = FileDescriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  return 0;
}

bool Program::ReadSome() {
  for (;;) {
    if (size_ == output_.size()) return false;
    const ssize_t part = read(out_.get(), output_.data() + size_, output_.size() - size_);
    if (part > 0) {
      size_ += static_cast<size_t>(part);
    } else if (part == 0 || errno != EINTR) {
      return part != 0 && errno == EAGAIN;
    }
  }
}

void Program::Kill() {
  kill(-pid_, SIGKILL);  // with all that it has started
  kill(pid_, SIGKILL);   // it may have left its group
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  running_ = false;
}

Result<Secret> Program::Finish(int64_t deadline_ns, const Ref<CancelToken>& stop) {
  const StopAlarm alarm(stop);
  bool open = true;
  for (;;) {
    // A descriptor of -1 is passed by.
    pollfd each[] = {
        {open ? out_.get() : -1, POLLIN, 0}, {exit_.get(), POLLIN, 0}, {alarm.fd(), POLLIN, 0}};
    const int64_t left_ms = (deadline_ns - Clock::System().SteadyNs()) / 1'000'000 + 1;
    const int wait_ms = static_cast<int>(std::clamp<int64_t>(left_ms, 0, 600'000));
    if (poll(each, 3, wait_ms) < 0 && errno != EINTR) return ProcessFailure("cannot be waited for");
    const bool stopped = stop && stop->fired();
    const bool late = Clock::System().SteadyNs() >= deadline_ns;
    if (stopped || late) {
      Kill();
      if (stopped) return Failure(Code::kClosed, "the store was closed");
      return ProcessFailure("took too long and was killed").Retryable();
    }
    if (open) open = ReadSome();
    // That another process holds the pipe open, which it has started, does not count.
    if (each[1].revents != 0 || (!open && !exit_)) return Reap();
    if (!open && size_ > kMaxOutputBytes) {
      Kill();
      return ProcessFailure("wrote more than 64 KiB");
    }
  }
}

Result<Secret> Program::Reap() {
  ReadSome();
  int status = 0;
  pid_t reaped;
  do {
    reaped = waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  running_ = false;
  // The host may have reaped it, or told the kernel to: then what it wrote has to do.
  if (reaped < 0) status = 0;
  if (WIFSIGNALED(status))
    return ProcessFailure("died of signal " + std::to_string(WTERMSIG(status)));
  if (WEXITSTATUS(status) != 0) {
    return ProcessFailure("failed with code " + std::to_string(WEXITSTATUS(status)))
        .Hint("run it by hand to see what it says");
  }
  if (size_ > kMaxOutputBytes) return ProcessFailure("wrote more than 64 KiB");
  return Secret(Bytes(output_).substr(0, size_));
}

}  // namespace

bool SplitCommand(Bytes command, std::vector<std::string>* words) {
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (size_t at = 0; at < command.size(); ++at) {
    const char c = command[at];
    if (c == '\\' && quote != '\'') {
      if (at + 1 == command.size()) return false;
      const char next = command[at + 1];
      if (quote == 0 || next == '"' || next == '\\') ++at;
      word.push_back(command[at]);
      in_word = true;
    } else if (quote != 0) {
      c == quote ? quote = 0 : (word.push_back(c), 0);
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words->push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word.push_back(c);
      in_word = true;
    }
  }
  if (in_word) words->push_back(std::move(word));
  return quote == 0 && !words->empty();
}

Result<Secret> RunProgram(const std::vector<std::string>& words, int64_t timeout_ms,
                          const Ref<CancelToken>& stop) {
  const int64_t deadline_ns = Clock::System().DeadlineAfterMs(static_cast<uint64_t>(timeout_ms));
  Program program;
  if (const int failed = program.Start(words); failed != 0) {
    return ProcessFailure("cannot be started").Errno(failed);
  }
  return program.Finish(deadline_ns, stop);
}

Result<Ref<const Identity>> FetchFromProcess(Bytes command, int64_t timeout_ms,
                                             const Ref<CancelToken>& stop) {
  std::vector<std::string> words;
  if (!SplitCommand(command, &words)) {
    return ProcessFailure("is no command line: a quote in it does not end, or it is empty");
  }
  Result<Secret> output = RunProgram(words, timeout_ms, stop);
  if (!output.ok()) return output.status();
  std::string why;
  const auto root = ParseJson(output->Reveal(), &why);
  if (!root) return ProcessFailure("wrote what cannot be read: " + why);
  const JsonValue* const version = root->Find("Version");
  if (!version || version->text.Reveal() != "1") {
    return ProcessFailure("wrote no credentials of version 1");
  }
  return ReadIdentity(*root, "SessionToken", "process");
}

}  // namespace chainstore::s3
