// FetchFromProcess: credentials from a program that the user's profile names (credential_process).
// It is started with its arguments and no shell, with neither input nor a place for messages, as
// the leader of a process group that is killed when its time is up or the store closes.
// Thread safety: any thread that may block.
#pragma once

#include <string>
#include <vector>

#include "stores/s3/credentials.h"

namespace chainstore::s3 {

// A command line into words: separated by space; "..." and '...' hold space; a backslash takes the
// next character as it is, within "..." only before " and \. False: a quote or a backslash has no
// end, or there is no word.
bool SplitCommand(Bytes command, std::vector<std::string>* words);

// What the program writes, at most 64 KiB.
Result<Secret> RunProgram(const std::vector<std::string>& words, int64_t timeout_ms,
                          const Ref<CancelToken>& stop);

Result<Ref<const Identity>> FetchFromProcess(Bytes command, int64_t timeout_ms,
                                             const Ref<CancelToken>& stop);

}  // namespace chainstore::s3
