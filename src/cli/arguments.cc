#include "cli/arguments.h"

#include <cstdlib>
#include <cstring>

#include "cli/text.h"

namespace cli {
namespace {

constexpr CommandInfo kCommands[] = {
    {"get", Command::kGet, "KEY", 1, 1, true, "the value of a key, to the standard output"},
    {"put", Command::kPut, "KEY [FILE]", 1, 2, true,
     "sets a key to a file, the standard input, or --value"},
    {"del", Command::kDel, "KEY...", 1, SIZE_MAX, true, "removes keys"},
    {"ls", Command::kLs, "[PREFIX]", 0, 1, true, "the keys, in order"},
    {"stat", Command::kStat, "KEY", 1, 1, true, "size, expiry, version and tier of an entry"},
    {"copy", Command::kCopy, "STORE [PREFIX]", 1, 2, true, "copies entries into another store"},
    {"describe", Command::kDescribe, "", 0, 0, true, "the store as canonical text"},
    {"bench", Command::kBench, "", 0, 0, true, "measures puts, gets and dels of keys of its own"},
    {"version", Command::kVersion, "", 0, 0, false, "the version, and what this build has"},
    {"help", Command::kHelp, "[stores]", 0, 1, false, "this, or every store and its options"},
};

constexpr OptionInfo kOptions[] = {
    {"--json", nullptr, "", "machine-readable output, one JSON object a line"},
    {"--key-hex", nullptr, "", "keys and prefixes are hexadecimal, given and shown"},
    {"--timeout", "TIME", "", "the limit of each operation, and of the close: 250ms, 2s, 5m, 1h"},
    {"--quiet", nullptr, "", "no progress, no notes"},
    {"--output", "FILE", "get", "writes there instead; whole, or not at all"},
    {"--explain", nullptr, "get", "shows on the standard error which stores were asked"},
    {"--value", "TEXT", "put", "the value itself"},
    {"--ttl", "TIME", "put", "the entry expires so long from now"},
    {"--if-absent", nullptr, "put copy", "leaves entries that are there as they are"},
    {"--cost", nullptr, "stat", "the requests that an S3 store made for it, and what they cost"},
    {"--sizes", nullptr, "ls", "the size in front of each key"},
    {"--limit", "N", "ls copy", "at most so many entries"},
    {"--after", "KEY", "ls copy", "goes on behind this key"},
    {"--count", "N", "bench", "operations of each kind, 10000"},
    {"--size", "BYTES", "bench", "of a value, 100"},
};

bool ReadNumber(const std::string& text, uint64_t* number) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string::npos) return false;
  errno = 0;
  *number = strtoull(text.c_str(), nullptr, 10);
  return errno == 0;
}

const CommandInfo* FindCommand(const std::string& name) {
  for (const CommandInfo& each : kCommands) {
    if (name == each.name) return &each;
  }
  return nullptr;
}

bool HasWord(const char* words, const char* word) {
  return *words == '\0' ||
         (" " + std::string(words) + " ").find(" " + std::string(word) + " ") != std::string::npos;
}

class Reader {
 public:
  explicit Reader(Arguments* out) : out_(*out) {}

  bool Run(std::span<const char* const> words) {
    bool options_end = false;
    for (size_t at = 0; at < words.size(); ++at) {
      const std::string word = words[at];
      if (options_end || word.size() < 2 || word[0] != '-') {
        if (!Operand(word)) return false;
      } else if (word == "--") {
        options_end = true;
      } else if (!Option(word, words, &at)) {
        return false;
      }
    }
    return Complete();
  }
  std::string problem;

 private:
  bool Fail(std::string what) {
    problem = std::move(what);
    return false;
  }

  bool Operand(const std::string& word) {
    if (out_.command) {
      out_.operands.push_back(word);
      return true;
    }
    const CommandInfo* const command = FindCommand(word);
    if (out_.store.empty()) {
      if (command && command->has_store) {
        return Fail("the store comes first: chainstore STORE " + word);
      }
      if (!command) out_.store = word;
      if (!command && word.empty()) return Fail("the store is empty");
    } else if (!command || !command->has_store) {
      return Fail("unknown command '" + Shown(word) + "'");
    }
    out_.command = command;
    return true;
  }

  bool Option(const std::string& word, std::span<const char* const> words, size_t* at) {
    if (word == "-h" || word == "--help") {
      out_.command = FindCommand("help");
      return true;
    }
    if (word == "--version") {
      out_.command = FindCommand("version");
      return true;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(0, equals);
    for (const OptionInfo& option : kOptions) {
      if (name != option.name) continue;
      std::string value;
      if (option.value && equals != std::string::npos) {
        value = word.substr(equals + 1);
      } else if (option.value) {
        if (*at + 1 == words.size()) return Fail(name + " needs " + option.value);
        value = words[++*at];
      } else if (equals != std::string::npos) {
        return Fail(name + " takes no value");
      }
      given_.push_back(&option);
      return Set(name, value);
    }
    return Fail("unknown option '" + Shown(name) + "'");
  }

  bool Set(const std::string& name, const std::string& value) {
    const auto duration = [&](uint64_t* out) {
      return ReadDuration(value, out) ||
             Fail(name + ": '" + Shown(value) + "' is not a time, such as 250ms, 2s, 5m or 1h");
    };
    const auto number = [&](uint64_t* out, uint64_t most) {
      return (ReadNumber(value, out) && *out <= most) ||
             Fail(name + ": '" + Shown(value) + "' is not a number up to " + std::to_string(most));
    };
    if (name == "--timeout") return duration(&out_.timeout_ms);
    if (name == "--ttl") return duration(&out_.ttl_ms);
    if (name == "--limit") return number(&out_.limit, UINT64_MAX - 1);
    if (name == "--count") return number(&out_.count, 1'000'000'000);
    if (name == "--size") return number(&out_.size, uint64_t{1} << 30);
    out_.json |= name == "--json";
    out_.key_hex |= name == "--key-hex";
    out_.quiet |= name == "--quiet";
    out_.explain |= name == "--explain";
    out_.if_absent |= name == "--if-absent";
    out_.cost |= name == "--cost";
    out_.sizes |= name == "--sizes";
    if (name == "--after") out_.after = value;
    if (name == "--output") out_.output = value;
    if (name == "--value") {
      out_.value = value;
      out_.has_value = true;
    }
    return true;
  }

  bool Complete() {
    if (!out_.command) {
      return Fail(out_.store.empty() ? "no store and no command" : "no command behind the store");
    }
    const std::string name = out_.command->name;
    if (out_.command->command == Command::kHelp || out_.command->command == Command::kVersion) {
      return true;
    }
    if (out_.operands.size() < out_.command->least || out_.operands.size() > out_.command->most) {
      return Fail("it is: chainstore STORE " + name + " " + out_.command->operands);
    }
    for (const OptionInfo* option : given_) {
      if (!HasWord(option->commands, out_.command->name)) {
        return Fail(name + " has no " + option->name);
      }
    }
    if (out_.has_value && out_.operands.size() > 1)
      return Fail("a FILE and --value are one too many");
    return true;
  }

  Arguments& out_;
  std::vector<const OptionInfo*> given_;
};

}  // namespace

std::span<const CommandInfo> Commands() { return kCommands; }
std::span<const OptionInfo> Options() { return kOptions; }

bool ReadArguments(std::span<const char* const> words, Arguments* out, std::string* problem) {
  Reader reader(out);
  const bool understood = reader.Run(words);
  *problem = reader.problem;
  return understood;
}

bool ReadDuration(const std::string& text, uint64_t* milliseconds) {
  static constexpr struct {
    const char* name;
    uint64_t factor;
  } kUnits[] = {{"ms", 1}, {"s", 1'000}, {"m", 60'000}, {"h", 3'600'000}};
  const size_t digits = text.find_first_not_of("0123456789");
  uint64_t number = 0;
  if (digits == std::string::npos || !ReadNumber(text.substr(0, digits), &number)) return false;
  for (const auto& unit : kUnits) {
    if (text.substr(digits) != unit.name) continue;
    return !__builtin_mul_overflow(number, unit.factor, milliseconds) && *milliseconds != 0;
  }
  return false;
}

bool ReadKey(const std::string& operand, bool is_hex, std::string* key, std::string* problem) {
  *key = operand;
  if (!is_hex) {
    if (IsUtf8(operand)) return true;
    *problem = "the key is not UTF-8; give its bytes with --key-hex";
    return false;
  }
  if (FromHex(operand, key)) return true;
  *problem = "'" + Shown(operand) + "' is not hexadecimal (--key-hex)";
  return false;
}

}  // namespace cli
