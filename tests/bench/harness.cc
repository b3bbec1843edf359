#include "harness.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

namespace bench {
namespace {

int met = 0;
int missed = 0;

void PrintRow(const char* figure, const std::string& what, const Goal& goal, double ratio,
              const std::string& raw) {
  const bool at_most = goal.sense == Goal::Sense::kAtMost;
  const bool is_met = at_most ? ratio <= goal.required : ratio >= goal.required;
  const bool stretched = at_most ? ratio <= goal.stretch : ratio >= goal.stretch;
  ++(is_met ? met : missed);
  printf("%-4s %-38s %8.2f  %s %-6.2f %-8s %s\n", figure, what.c_str(), ratio,
         at_most ? "<=" : ">=", goal.required,
         stretched ? "met (S)"
         : is_met  ? "met"
                   : "MISSED",
         raw.c_str());
  fflush(stdout);
}

std::string Nanoseconds(double ns) {
  char text[64];
  if (ns < 10'000)
    snprintf(text, sizeof text, "%.1f ns", ns);
  else if (ns < 10'000'000)
    snprintf(text, sizeof text, "%.1f us", ns / 1e3);
  else
    snprintf(text, sizeof text, "%.1f ms", ns / 1e6);
  return text;
}

}  // namespace

Settings& mutable_settings() {
  static Settings settings;
  return settings;
}
const Settings& settings() { return mutable_settings(); }

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double NowNs(Time time) {
  timespec now;
  clock_gettime(time == Time::kWall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

void Compare(const char* figure, const std::string& what, const Goal& goal,
             const std::string& reference, const Side& ours, const Side& theirs) {
  // A round of each that does not count warms both sides up.
  ours();
  theirs();
  std::vector<double> ratios, our_times, their_times;
  for (int round = 0; round < settings().rounds; ++round) {
    // Who goes first changes, so that a slow drift of the machine favours neither.
    double our_ns, their_ns;
    if (round % 2 == 0) {
      our_ns = ours();
      their_ns = theirs();
    } else {
      their_ns = theirs();
      our_ns = ours();
    }
    our_times.push_back(our_ns);
    their_times.push_back(their_ns);
    ratios.push_back(goal.sense == Goal::Sense::kAtMost ? our_ns / their_ns : their_ns / our_ns);
  }
  PrintRow(
      figure, what, goal, Median(ratios),
      Nanoseconds(Median(our_times)) + " / " + Nanoseconds(Median(their_times)) + " " + reference);
}

void Number(const char* figure, const std::string& what, const Goal& goal, double value,
            const std::string& unit, const std::string& remark) {
  PrintRow(figure, what, goal, value, unit + (remark.empty() ? "" : ", " + remark));
}

void NotInThisBuild(const char* figure, const std::string& what) {
  printf("%-4s %-38s not in this build\n", figure, what.c_str());
  fflush(stdout);
}

void Note(const std::string& text) {
  printf("     %s\n", text.c_str());
  fflush(stdout);
}

void PrintHeader() {
  printf("%-4s %-38s %8s  %-9s %-8s %s\n", "fig", "what", "ratio", "required", "",
         "ours / reference");
}

void PrintSummary() { printf("%d met, %d missed\n", met, missed); }

double Timed(Time time, int threads, uint64_t operations,
             const std::function<void(int thread)>& body) {
  if (threads == 1) {
    const double start = NowNs(time);
    body(0);
    return (NowNs(time) - start) / static_cast<double>(operations);
  }
  std::atomic<int> ready{0};
  std::vector<double> took(threads);
  std::vector<std::thread> running;
  for (int thread = 0; thread < threads; ++thread) {
    running.emplace_back([&, thread] {
      ++ready;
      while (ready < threads) std::this_thread::yield();
      const double start = NowNs(time);
      body(thread);
      took[thread] = NowNs(time) - start;
    });
  }
  for (std::thread& thread : running) thread.join();
  double sum = 0;
  for (const double each : took) sum += each;
  return sum / threads / static_cast<double>(operations);
}

Folder::Folder(const std::string& name) {
  path_ = settings().directory + "/" + name + "." + std::to_string(getpid());
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  statm >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

PeakMemory::PeakMemory() {
  malloc_trim(0);
  before_ = ResidentBytes();
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak is what there is now
}

uint64_t PeakMemory::Grown() const {
  std::ifstream status("/proc/self/status");
  std::string word;
  uint64_t peak_kib = 0;
  while (status >> word && word != "VmHWM:") continue;
  status >> peak_kib;
  return std::max(peak_kib * 1024, before_) - before_;
}

void Die(const std::string& why) {
  fprintf(stderr, "chainstore_bench: %s\n", why.c_str());
  exit(1);
}

}  // namespace bench
