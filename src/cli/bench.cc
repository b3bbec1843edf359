// bench: puts, gets and dels of keys of its own, one after the other, as one caller sees them.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/text.h"

namespace cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Phase {
  const char* name;
  std::vector<float> micros;
  double seconds = 0;
};

std::string KeyAt(uint64_t index) {
  return "chainstore-bench/" + std::to_string(getpid()) + "/" + std::to_string(index);
}

std::string Number(double value) {
  char text[32];
  (void)snprintf(text, sizeof(text), "%.1f", value);
  return text;
}

double At(const Phase& phase, double share) {
  const size_t index = static_cast<size_t>(share * static_cast<double>(phase.micros.size()));
  return phase.micros[std::min(index, phase.micros.size() - 1)];
}

// kDone, or the exit code of the first failure. *done: how many were run.
template <class Run>
int RunPhase(Session& session, Phase* phase, uint64_t count, Run run, uint64_t* done) {
  Progress progress(phase->name, count, session.arguments().quiet);
  const Clock::time_point begin = Clock::now();
  int code = kDone;
  for (*done = 0; *done < count && code == kDone && !session.interrupted(); ++*done) {
    const std::string key = KeyAt(*done);
    const Clock::time_point from = Clock::now();
    Result result;
    run(key, &result);
    phase->micros.push_back(std::chrono::duration<float, std::micro>(Clock::now() - from).count());
    // A bounded store may have evicted it: an answer like any other.
    if (result.status < 0) code = session.End(result);
    progress.Set(*done);
  }
  phase->seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  std::sort(phase->micros.begin(), phase->micros.end());
  return code;
}

void Report(const Phase& phase, bool json, Output* output) {
  if (phase.micros.empty()) return;
  const double rate = static_cast<double>(phase.micros.size()) / phase.seconds;
  if (json) {
    output->Line("{\"operation\":" + Json(phase.name) +
                 ",\"count\":" + std::to_string(phase.micros.size()) +
                 ",\"per_second\":" + Number(rate) + ",\"p50_us\":" + Number(At(phase, 0.5)) +
                 ",\"p99_us\":" + Number(At(phase, 0.99)) +
                 ",\"max_us\":" + Number(phase.micros.back()) + "}");
    return;
  }
  char line[128];
  (void)snprintf(line, sizeof(line), "%-4s %12.0f/s   p50 %8.1f us   p99 %8.1f us   max %8.1f us",
                 phase.name, rate, At(phase, 0.5), At(phase, 0.99), double{phase.micros.back()});
  output->Line(line);
}

}  // namespace

int RunBench(Session& session) {
  const Arguments& arguments = session.arguments();
  const std::string value(arguments.size, 'x');
  cs_store* const store = session.store();
  Phase puts{"put", {}, 0}, gets{"get", {}, 0}, dels{"del", {}, 0};
  uint64_t made = 0;
  uint64_t done = 0;
  int code = RunPhase(
      session, &puts, arguments.count,
      [&](const std::string& key, cs_result* result) {
        const cs_call call = session.Call();
        cs_put_sync(store, key.data(), key.size(), value.data(), value.size(), &call, result);
      },
      &made);
  if (code == kDone) {
    code = RunPhase(
        session, &gets, made,
        [&](const std::string& key, cs_result* result) {
          const cs_call call = session.Call();
          cs_get_sync(store, key.data(), key.size(), &call, result);
        },
        &done);
  }
  const auto del = [&](const std::string& key, cs_result* result) {
    cs_del_sync(store, key.data(), key.size(), nullptr, result);
  };
  if (code == kDone) code = RunPhase(session, &dels, made, del, &done);
  // Whatever has happened, nothing of its own stays: a del of what is gone is fine.
  if (code != kDone || session.interrupted()) {
    for (uint64_t at = 0; at <= made; ++at) {
      Result result;
      del(KeyAt(at), &result);
    }
  }
  Output output(STDOUT_FILENO);
  for (const Phase* phase : {&puts, &gets, &dels}) Report(*phase, arguments.json, &output);
  code = session.Finish(&output, code);
  if (!session.interrupted()) return code;
  Complain("interrupted; the keys of the measurement were removed");
  return session.Interrupted();
}

}  // namespace cli
