// How a figure is measured: two sides that take turns, round after round, in one process; the
// figure is the median of the rounds' ratios. What both sides took is printed beside it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

// What the command line asks for.
struct Settings {
  bool quick = false;  // fewer keys and shorter rounds: a look, not a figure
  int rounds = 5;
  std::string directory;  // where engines put their files
  std::string traces;     // of figure 16
};
const Settings& settings();
Settings& mutable_settings();

// A goal: the ratio that is required, and the one that would be better still.
struct Goal {
  enum class Sense { kAtMost, kAtLeast };
  Sense sense;
  double required;
  double stretch;
};
// `time of ours / time of the reference` is at most so much.
inline Goal AtMost(double required, double stretch) {
  return {Goal::Sense::kAtMost, required, stretch};
}
// `time of the reference / time of ours` (how much faster we are) is at least so much.
inline Goal AtLeast(double required, double stretch) {
  return {Goal::Sense::kAtLeast, required, stretch};
}

// One side of a comparison: a round of it, in nanoseconds an operation.
using Side = std::function<double()>;

// Prints one line of the table.
void Compare(const char* figure, const std::string& what, const Goal& goal,
             const std::string& reference, const Side& ours, const Side& theirs);
// The same of a plain number, which is its own ratio.
void Number(const char* figure, const std::string& what, const Goal& goal, double value,
            const std::string& unit, const std::string& remark = "");
void NotInThisBuild(const char* figure, const std::string& what);
void Note(const std::string& text);
void PrintHeader();
// How many required figures were met, missed.
void PrintSummary();

// What a round is timed by: the time on the wall for what waits for a disk or another thread; the
// thread's own processor time for what only computes, which a busy machine disturbs less.
enum class Time { kWall, kProcessor };

// Runs `body(thread)` on so many threads at once, each `operations` times by itself; nanoseconds an
// operation as one thread sees it.
double Timed(Time time, int threads, uint64_t operations,
             const std::function<void(int thread)>& body);

double Median(std::vector<double> values);
double NowNs(Time time = Time::kWall);
// Keeps the compiler from leaving out what computed it.
template <class T>
inline void Keep(const T& value) {
  asm volatile("" : : "r,m"(value) : "memory");
}

// A fresh folder below settings().directory, removed with its contents when it goes.
class Folder {
 public:
  explicit Folder(const std::string& name);
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Resident memory of this process in bytes.
uint64_t ResidentBytes();
// How far it has grown at its peak since this was made.
class PeakMemory {
 public:
  PeakMemory();
  uint64_t Grown() const;

 private:
  uint64_t before_;
};

[[noreturn]] void Die(const std::string& why);

}  // namespace bench
