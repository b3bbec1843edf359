// get, put, del and stat: one entry, or a few.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include <cstdio>
#include <cstring>
#include <sstream>

#include "cli/commands.h"
#include "cli/explain.h"
#include "cli/text.h"

namespace cli {
namespace {

// The first operand as a key: false, and told, if it is none.
bool KeyOf(const Session& session, const std::string& operand, std::string* key) {
  std::string problem;
  if (ReadKey(operand, session.arguments().key_hex, key, &problem)) return true;
  Complain(problem);
  return false;
}

void NotFound(const Session& session, const std::string& key) {
  if (session.arguments().quiet) return;
  Complain("no entry " + (session.arguments().key_hex ? ToHex(key) : "'" + Shown(key) + "'"));
}

// To a file beside the target, which is renamed when it is whole.
int WriteFile(const Session& session, const std::string& path, std::string_view bytes) {
  std::string part = path + ".chainstore-XXXXXX";
  const int fd = mkstemp(part.data());
  if (fd < 0) {
    Complain("cannot make a file beside '" + Shown(path) + "': " + strerror(errno));
    return kFailed;
  }
  const mode_t mask = umask(0);
  umask(mask);
  (void)fchmod(fd, 0666 & ~mask);
  Output file(fd);
  const bool written = file.Write(bytes) && file.Flush();
  const bool closed = close(fd) == 0;
  if (written && closed && rename(part.c_str(), path.c_str()) == 0) return kDone;
  const int error = errno;
  unlink(part.c_str());
  if (!written) return session.End(file, ("'" + Shown(path) + "'").c_str());
  Complain("cannot write '" + Shown(path) + "': " + strerror(error));
  return kFailed;
}

std::string MetaJson(const cs_result& result) {
  return "\"size\":" + std::to_string(result.total_size) +
         ",\"expires_at_ms\":" + std::to_string(result.expires_at_ms) +
         ",\"version\":" + std::to_string(result.version) +
         ",\"tier\":" + std::to_string(result.tier);
}

// The bytes to be put, in *bytes; or the exit code.
int ReadValue(const Session& session, std::string* bytes) {
  const Arguments& arguments = session.arguments();
  if (arguments.has_value) {
    *bytes = arguments.value;
    return kDone;
  }
  const bool is_file = arguments.operands.size() > 1 && arguments.operands[1] != "-";
  const std::string name =
      is_file ? "'" + Shown(arguments.operands[1]) + "'" : "the standard input";
  const int fd = is_file ? open(arguments.operands[1].c_str(), O_RDONLY | O_CLOEXEC) : STDIN_FILENO;
  const int error = fd < 0 ? errno : ReadAll(fd, session.interrupt(), bytes);
  if (is_file && fd >= 0) close(fd);
  if (error == 0) return kDone;
  if (session.interrupted()) {
    Complain("interrupted; nothing was put");
    return session.Interrupted();
  }
  Complain("cannot read " + name + ": " + strerror(error));
  return error == EACCES ? kDenied : kFailed;
}

}  // namespace

int RunGet(Session& session) {
  std::string key;
  if (!KeyOf(session, session.arguments().operands[0], &key)) return kUsage;
  const Arguments& arguments = session.arguments();
  Explanation explanation(session, arguments.explain);
  const cs_call call = session.Call();
  Result result;
  const cs_status status = cs_get_sync(session.store(), key.data(), key.size(), &call, &result);
  explanation.Print();
  if (status != CS_OK) {
    if (status == CS_NOT_FOUND) NotFound(session, key);
    return session.End(result);
  }
  if (!arguments.output.empty()) return WriteFile(session, arguments.output, result.bytes());
  Output output(STDOUT_FILENO);
  if (arguments.json) {
    output.Line("{" + JsonBytes("key", key, arguments.key_hex) + "," + MetaJson(result) + "," +
                JsonBytes("value", result.bytes(), false) + "}");
  } else {
    output.Write(result.bytes());
  }
  return session.Finish(&output, kDone);
}

int RunPut(Session& session) {
  const Arguments& arguments = session.arguments();
  std::string key;
  std::string bytes;
  if (!KeyOf(session, arguments.operands[0], &key)) return kUsage;
  if (const int code = ReadValue(session, &bytes); code != kDone) return code;
  cs_call call = session.Call();
  call.ttl_ms = arguments.ttl_ms;
  if (arguments.if_absent) call.flags |= CS_CALL_IF_ABSENT;
  Result result;
  cs_put_sync(session.store(), key.data(), key.size(), bytes.data(), bytes.size(), &call, &result);
  if (result.status == CS_EXISTS && !arguments.quiet) {
    Complain("there is an entry '" + Shown(key) + "'; it was left as it is");
  }
  if (result.status == CS_CANCELLED && session.interrupted()) {
    Complain("interrupted; the put may or may not have happened");
  }
  return session.End(result);
}

int RunDel(Session& session) {
  const Arguments& arguments = session.arguments();
  // All of them are read before the first is removed.
  std::vector<std::string> keys(arguments.operands.size());
  for (size_t at = 0; at < keys.size(); ++at) {
    if (!KeyOf(session, arguments.operands[at], &keys[at])) return kUsage;
  }
  int code = kDone;
  for (size_t at = 0; at < keys.size(); ++at) {
    const cs_call call = session.Call();
    Result result;
    cs_del_sync(session.store(), keys[at].data(), keys[at].size(), &call, &result);
    if (session.interrupted()) {
      Complain("interrupted; " + std::to_string(keys.size() - at - (result.status == CS_OK)) +
               " of " + std::to_string(keys.size()) + " keys are left, from '" +
               Shown(keys[at + (result.status == CS_OK && at + 1 < keys.size())]) + "' on");
      return session.Interrupted();
    }
    if (const int failed = session.End(result); failed != kDone) {
      code = keys.size() == 1 ? failed : kPartial;
    }
  }
  return code;
}

namespace {

std::string MetricsOf(cs_store* store, const char* format) {
  cs_value* const value = cs_metrics_text(store, format, nullptr);
  size_t size = 0;
  const auto* const data = static_cast<const char*>(cs_value_data(value, &size));
  std::string text(data ? data : "", size);
  cs_value_unref(value);
  return text;
}

// What S3 stores tell of themselves, as far as it is not nothing.
void PrintCost(cs_store* store, Output* output) {
  std::stringstream metrics(MetricsOf(store, "prometheus"));
  for (std::string line; std::getline(metrics, line);) {
    if (line.starts_with("chainstore_s3_") && !line.ends_with(" 0")) output->Line(line);
  }
}

}  // namespace

int RunStat(Session& session) {
  const Arguments& arguments = session.arguments();
  std::string key;
  if (!KeyOf(session, arguments.operands[0], &key)) return kUsage;
  const cs_call call = session.Call();
  Result result;
  cs_stat_sync(session.store(), key.data(), key.size(), &call, &result);
  if (result.status == CS_NOT_FOUND) NotFound(session, key);
  if (result.status != CS_OK) return session.End(result);
  Output output(STDOUT_FILENO);
  if (arguments.json) {
    std::string cost;
    if (arguments.cost) {
      cost = MetricsOf(session.store(), "json");
      std::erase(cost, '\n');
      cost = "," + cost.substr(1, cost.size() - 2);  // "metrics":[...]
    }
    output.Line("{" + JsonBytes("key", key, arguments.key_hex) + "," + MetaJson(result) + cost +
                "}");
  } else {
    output.Line("size     " + std::to_string(result.total_size));
    output.Line("expires  " + (result.expires_at_ms == 0
                                   ? std::string("never")
                                   : std::to_string(result.expires_at_ms) + " (Unix ms)"));
    output.Line("version  " +
                (result.version == 0 ? std::string("unknown") : std::to_string(result.version)));
    output.Line("tier     " + std::to_string(result.tier));
    if (arguments.cost) PrintCost(session.store(), &output);
  }
  return session.Finish(&output, kDone);
}

}  // namespace cli
