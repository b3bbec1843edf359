// describe, version and help.
#include <unistd.h>

#include <cstring>
#include <sstream>

#include "cli/commands.h"
#include "cli/text.h"

namespace cli {
namespace {

int End(Output* output) {
  if (output->Flush()) return kDone;
  if (output->error() == EPIPE) return kPipe;
  Complain(std::string("cannot write the standard output: ") + strerror(output->error()));
  return kFailed;
}

// cs_store_describe of `store`, or of nothing: the table of schemes.
std::string Described(cs_store* store) {
  cs_value* const value = cs_store_describe(store, nullptr);
  size_t size = 0;
  const auto* const data = static_cast<const char*>(cs_value_data(value, &size));
  std::string text(data ? data : "", size);
  cs_value_unref(value);
  return text;
}

std::vector<std::string> FieldsOf(const std::string& line) {
  std::vector<std::string> fields;
  std::stringstream rest(line);
  for (std::string field; std::getline(rest, field, '\t');) fields.push_back(field);
  fields.resize(7);
  return fields;
}

std::string Padded(std::string text, size_t width) {
  if (text.size() < width) text.resize(width, ' ');
  return text;
}

void PrintStores(Output* output) {
  std::stringstream table(Described(nullptr));
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> row = FieldsOf(line);
    if (row[0] == "argument" || row[0] == "option") {
      const std::string value = row[5] == "required" ? row[3] : row[3] + ", " + row[4];
      output->Line("    " + Padded(row[2], 21) + " " + Padded(value, 26) + " " + row[6]);
    } else {
      output->Line("\n" + row[4] + "   " + row[6] + (row[3] == "no" ? " (not in this build)" : ""));
    }
  }
}

void PrintStoresJson(Output* output) {
  std::stringstream table(Described(nullptr));
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> row = FieldsOf(line);
    const std::string kind = "{\"kind\":" + Json(row[0]);
    const std::string help = ",\"help\":" + Json(row[6]) + "}";
    if (row[0] == "argument" || row[0] == "option") {
      output->Line(kind + ",\"of\":" + Json(row[1]) + ",\"name\":" + Json(row[2]) +
                   ",\"values\":" + Json(row[3]) + ",\"default\":" + Json(row[4]) +
                   ",\"required\":" + (row[5] == "required" ? "true" : "false") + help);
    } else {
      output->Line(kind + ",\"name\":" + Json(row[1]) + ",\"constructor\":" + Json(row[2]) +
                   ",\"built\":" + (row[3] == "yes" ? "true" : "false") +
                   ",\"usage\":" + Json(row[4]) + help);
    }
  }
}

void PrintCommands(Output* output) {
  output->Line(
      "usage: chainstore STORE COMMAND [OPTION...]\n\n"
      "STORE is a chain as text, the fastest store first:\n"
      "  chainstore 'lru(1GB, lmdb:./d) > timeout(2s, file:./r)' put k < file\n"
      "  chainstore file:./r get k\n"
      "'chainstore help stores' lists every store, manager and option.\n\ncommands");
  for (const CommandInfo& each : Commands()) {
    const std::string usage = std::string(each.name) + " " + each.operands;
    output->Line("  " + Padded(usage, 24) + each.help);
  }
  output->Line("\noptions");
  for (const OptionInfo& each : Options()) {
    const std::string usage =
        std::string(each.name) + (each.value ? " " : "") + (each.value ? each.value : "");
    std::string help = each.help;
    if (*each.commands != '\0') help = std::string(each.commands) + ": " + help;
    output->Line("  " + Padded(usage, 24) + help);
  }
  output->Line(
      "\nexit codes\n"
      "  0 done   1 no such entry, or there is one   2 the command line, a text, a value\n"
      "  3 may succeed later   4 disk, network or memory failed   5 some of it was done\n"
      "  6 denied   7 corrupt   128 + N ended by signal N   141 the output was closed");
}

}  // namespace

int RunDescribe(Session& session) {
  const std::string text = Described(session.store());
  Output output(STDOUT_FILENO);
  output.Line(session.arguments().json ? "{\"text\":" + Json(text) + "}" : text);
  return session.Finish(&output, kDone);
}

int RunVersion(const Arguments& arguments) {
  Output output(STDOUT_FILENO);
  std::stringstream table(Described(nullptr));
  std::string names;
  for (std::string line; std::getline(table, line);) {
    const std::vector<std::string> row = FieldsOf(line);
    if (row[0] == "argument" || row[0] == "option" || row[3] != "yes") continue;
    names += (names.empty()    ? ""
              : arguments.json ? ","
                               : " ") +
             (arguments.json ? Json(row[1]) : row[1]);
  }
  if (arguments.json) {
    output.Line("{\"version\":" + Json(cs_library_version()) +
                ",\"abi\":" + std::to_string(cs_abi()) + ",\"has\":[" + names + "]}");
  } else {
    output.Line(std::string("chainstore ") + cs_library_version());
    output.Line("with " + names);
  }
  return End(&output);
}

int RunHelp(const Arguments& arguments) {
  Output output(STDOUT_FILENO);
  const bool stores = !arguments.operands.empty() && arguments.operands[0] == "stores";
  if (stores) {
    arguments.json ? PrintStoresJson(&output) : PrintStores(&output);
  } else {
    PrintCommands(&output);
  }
  return End(&output);
}

}  // namespace cli
