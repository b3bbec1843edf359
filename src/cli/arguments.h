// The command line, understood: which store, which command, with which options. The tables of
// commands and options are here; the help, and the tests of manual and completion, read them too.
// Thread safety: plain values and constants.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace cli {

enum class Command { kGet, kPut, kDel, kLs, kStat, kCopy, kDescribe, kBench, kVersion, kHelp };

struct CommandInfo {
  const char* name;
  Command command;
  const char* operands;  // as the help shows them
  size_t least, most;    // operands
  bool has_store;        // comes behind a store
  const char* help;
};
std::span<const CommandInfo> Commands();

struct OptionInfo {
  const char* name;      // "--json"
  const char* value;     // what it takes, as the help shows it; null: nothing
  const char* commands;  // those that have it, "" for all
  const char* help;
};
std::span<const OptionInfo> Options();

struct Arguments {
  const CommandInfo* command = nullptr;
  std::string store;
  std::vector<std::string> operands;
  bool json = false;
  bool key_hex = false;
  bool quiet = false;
  bool explain = false;
  bool if_absent = false;
  bool cost = false;
  bool sizes = false;
  uint64_t timeout_ms = 0;  // 0: none
  uint64_t ttl_ms = 0;
  uint64_t limit = UINT64_MAX;
  uint64_t count = 10'000;
  uint64_t size = 100;
  std::string after;
  std::string output;  // a file; empty: the standard output
  std::string value;
  bool has_value = false;
};

// False: *problem says what is wrong.
bool ReadArguments(std::span<const char* const> words, Arguments* out, std::string* problem);

// "250ms", "2s", "5m", "1h": false if it is no such thing, or is 0.
bool ReadDuration(const std::string& text, uint64_t* milliseconds);

// The key that an operand gives: its bytes, or those that its hex digits stand for.
bool ReadKey(const std::string& operand, bool is_hex, std::string* key, std::string* problem);

}  // namespace cli
