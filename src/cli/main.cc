// chainstore: the command. It uses the public header and nothing else of the library.
#include <unistd.h>

#include "cli/commands.h"
#include "cli/text.h"

namespace cli {
namespace {

int Dispatch(Session& session, Interrupt& interrupt) {
  switch (session.arguments().command->command) {
    case Command::kGet:
      return RunGet(session);
    case Command::kPut:
      return RunPut(session);
    case Command::kDel:
      return RunDel(session);
    case Command::kLs:
      return RunLs(session);
    case Command::kStat:
      return RunStat(session);
    case Command::kCopy:
      return RunCopy(session, interrupt);
    case Command::kDescribe:
      return RunDescribe(session);
    case Command::kBench:
      return RunBench(session);
    default:
      return kUsage;
  }
}

int Run(std::span<const char* const> words) {
  Arguments arguments;
  std::string problem;
  if (!ReadArguments(words, &arguments, &problem)) {
    Complain(problem + "; 'chainstore help' says more");
    return kUsage;
  }
  if (arguments.command->command == Command::kHelp) return RunHelp(arguments);
  if (arguments.command->command == Command::kVersion) return RunVersion(arguments);
  // Never destroyed: its thread waits for signals until the process has gone.
  static auto& interrupt = *new Interrupt;
  Session session(arguments, interrupt);
  if (const int code = session.Open(arguments.store); code != kDone) return code;
  const int code = session.Close(Dispatch(session, interrupt));
  // What the library still has to say (a trace, a failure) is said; who is interrupted waits not.
  constexpr uint64_t kLastWordsMs = 1000;
  if (!interrupt.happened()) (void)cs_runtime_wait(nullptr, kLastWordsMs);
  return code;
}

}  // namespace
}  // namespace cli

int main(int argc, char** argv) {
  return cli::Run({const_cast<const char* const*>(argv) + 1, argc > 0 ? size_t(argc) - 1 : 0});
}
