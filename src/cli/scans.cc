// ls and copy: every entry, or those below a prefix.
#include <unistd.h>

#include <algorithm>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace cli {
namespace {

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// Walks over what the command line names, entry by entry.
class Walk {
 public:
  Walk(Session& session, bool keys_only) : session_(session), keys_only_(keys_only) {}
  ~Walk() { cs_scan_free(scan_); }

  // False, and told: prefix or --after are no keys.
  bool Begin(const std::string& prefix_operand) {
    const Arguments& arguments = session_.arguments();
    std::string problem;
    std::string prefix;
    std::string after;
    if (!ReadKey(prefix_operand, arguments.key_hex, &prefix, &problem) ||
        !ReadKey(arguments.after, arguments.key_hex, &after, &problem)) {
      Complain(problem);
      return false;
    }
    cs_range range = CS_RANGE_INIT;
    if (keys_only_) range.flags = CS_SCAN_KEYS_ONLY;
    range.prefix = prefix.data();
    range.prefix_size = prefix.size();
    range.page_size = static_cast<uint32_t>(std::min<uint64_t>(arguments.limit + 1, 1024));
    // A scan's start is inclusive: the key itself is passed by.
    skip_ = after;
    range.start = after.data();
    range.start_size = after.size();
    cs_error* error = nullptr;
    scan_ = cs_scan_new(session_.store(), &range, &error);
    if (!scan_) {
      problem_ = session_.End(cs_error_status(error), error);
      cs_error_unref(error);
    }
    return scan_ != nullptr;
  }
  int problem() const noexcept { return problem_; }

  // CS_OK: `visit` has seen each entry, or has returned false, which ends the walk.
  template <class Visit>
  int Each(Visit visit) {
    uint64_t seen = 0;
    for (;;) {
      const cs_call call = session_.Call();
      Result page;
      cs_scan_next_sync(scan_, &call, &page);
      if (page.status != CS_OK) return session_.End(page);
      for (size_t at = 0; at < page.count; ++at) {
        const cs_entry& entry = page.entries[at];
        const std::string_view key(static_cast<const char*>(entry.key), entry.key_size);
        if (!skip_.empty() && key == skip_) continue;
        if (seen++ == session_.arguments().limit) return kDone;
        if (session_.interrupted() || !visit(key, entry)) return kDone;
      }
    }
  }

 private:
  Session& session_;
  const bool keys_only_;
  std::string skip_;
  cs_scan* scan_ = nullptr;
  int problem_ = kUsage;
};

std::string KeyText(const Arguments& arguments, std::string_view key) {
  return arguments.key_hex ? ToHex(key) : Shown(key);
}

// How the same command goes on where this one stopped.
std::string GoOn(const Arguments& arguments, const std::string& last) {
  if (last.empty()) return "nothing was done";
  const bool hex = arguments.key_hex || !IsUtf8(last) || Shown(last) != last;
  return std::string("go on with ") +
         (hex ? "--key-hex --after " + ToHex(last) : "--after '" + last + "'");
}

}  // namespace

int RunLs(Session& session) {
  const Arguments& arguments = session.arguments();
  Walk walk(session, true);
  if (!walk.Begin(arguments.operands.empty() ? "" : arguments.operands[0])) return walk.problem();
  Output output(STDOUT_FILENO);
  std::string last;
  const int code = walk.Each([&](std::string_view key, const cs_entry& entry) {
    std::string line;
    if (arguments.json) {
      line = "{" + JsonBytes("key", key, arguments.key_hex) +
             ",\"size\":" + std::to_string(entry.total_size) +
             ",\"expires_at_ms\":" + std::to_string(entry.expires_at_ms) + "}";
    } else {
      if (arguments.sizes) line = std::to_string(entry.total_size) + "\t";
      line += KeyText(arguments, key);
    }
    last = key;
    return output.Line(line);
  });
  const int ended = session.Finish(&output, code);
  if (!session.interrupted() || ended == kPipe) return ended;
  Complain("interrupted; " + GoOn(arguments, last));
  return session.Interrupted();
}

int RunCopy(Session& session, Interrupt& interrupt) {
  const Arguments& arguments = session.arguments();
  Session target(arguments, interrupt);
  if (const int code = target.Open(arguments.operands[0]); code != kDone) return code;
  Walk walk(session, false);
  if (!walk.Begin(arguments.operands.size() > 1 ? arguments.operands[1] : "")) {
    return walk.problem();
  }
  uint64_t copied = 0;
  uint64_t skipped = 0;
  uint64_t bytes = 0;
  std::string last;
  int failure = kDone;
  int code;
  {
    Progress progress("copy", 0, arguments.quiet);
    code = walk.Each([&](std::string_view key, const cs_entry& entry) {
      cs_call call = target.Call();
      if (arguments.if_absent) call.flags |= CS_CALL_IF_ABSENT;
      // What is left of its time; an entry that has just run out is gone.
      const int64_t left_ms = entry.expires_at_ms - NowMs();
      if (entry.expires_at_ms != 0 && left_ms <= 0) return true;
      if (entry.expires_at_ms != 0) call.ttl_ms = static_cast<uint64_t>(left_ms);
      Result result;
      cs_put_value_sync(target.store(), key.data(), key.size(), entry.value, &call, &result);
      if (result.status == CS_EXISTS) {
        ++skipped;
      } else if (result.status != CS_OK) {
        failure = target.End(result);
        return false;
      } else {
        ++copied;
        bytes += entry.size;
      }
      last = key;
      progress.Set(copied + skipped, bytes);
      return true;
    });
  }
  if (failure != kDone) code = failure;
  code = target.Close(code);
  if (session.interrupted()) code = session.Interrupted();
  if (arguments.json) {
    Output output(STDOUT_FILENO);
    output.Line("{\"copied\":" + std::to_string(copied) +
                ",\"skipped\":" + std::to_string(skipped) + ",\"bytes\":" + std::to_string(bytes) +
                ",\"complete\":" + (code == kDone ? "true" : "false") +
                (last.empty() ? "" : "," + JsonBytes("last_key", last, arguments.key_hex)) + "}");
    code = session.Finish(&output, code);
  } else if (!arguments.quiet) {
    Note(std::to_string(copied) + " entries copied, " + Bytes(bytes) +
         (skipped == 0 ? "" : ", " + std::to_string(skipped) + " were there"));
  }
  if (code != kDone) {
    Complain(std::string(session.interrupted() ? "interrupted" : "not all was copied") + "; " +
             GoOn(arguments, last));
  }
  return code;
}

}  // namespace cli
