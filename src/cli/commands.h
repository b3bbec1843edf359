// The commands. Each returns the exit code; what went wrong has been told.
#pragma once

#include "cli/session.h"

namespace cli {

int RunGet(Session& session);
int RunPut(Session& session);
int RunDel(Session& session);
int RunStat(Session& session);
int RunLs(Session& session);
int RunCopy(Session& session, Interrupt& interrupt);
int RunDescribe(Session& session);
int RunBench(Session& session);

int RunVersion(const Arguments& arguments);
int RunHelp(const Arguments& arguments);

}  // namespace cli
