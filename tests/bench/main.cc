// chainstore_bench: prints figures 1 to 16 and 21 to 25, one line each: ratio, goal, met or not,
// raw numbers.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "figures.h"
#include "harness.h"

namespace {

int wanted = 0;

int Usage() {
  fputs(
      "usage: chainstore_bench [--figure=N] [--quick] [--rounds=N] [--directory=DIR]\n"
      "                        [--traces=DIR]\n"
      "  --figure=N       measures figure N only (1 to 16, 21 to 25)\n"
      "  --quick          fewer keys: a look, not a figure\n"
      "  --rounds=N       rounds of each comparison, at least 5 (default 5)\n"
      "  --directory=DIR  where the engines put their files (default: TMPDIR, else /tmp)\n"
      "  --traces=DIR     the access traces of figure 16 (default ../shared/traces)\n",
      stderr);
  return 2;
}

bool Take(const char* argument, const char* name, std::string* value) {
  const size_t size = strlen(name);
  if (strncmp(argument, name, size) != 0) return false;
  *value = argument + size;
  return true;
}

}  // namespace

namespace bench {

bool Wanted(int number) { return wanted == 0 || wanted == number; }

}  // namespace bench

int main(int argc, char** argv) {
  bench::Settings& settings = bench::mutable_settings();
  const char* temporary = getenv("TMPDIR");
  settings.directory = temporary ? temporary : "/tmp";
  settings.traces = "../shared/traces";
  bool churn = false;
  for (int at = 1; at < argc; ++at) {
    std::string value;
    if (strcmp(argv[at], "--quick") == 0)
      settings.quick = true;
    else if (strcmp(argv[at], "--child=churn") == 0)
      churn = true;
    else if (Take(argv[at], "--figure=", &value))
      wanted = atoi(value.c_str());
    else if (Take(argv[at], "--rounds=", &value))
      settings.rounds = atoi(value.c_str());
    else if (Take(argv[at], "--directory=", &settings.directory))
      continue;
    else if (Take(argv[at], "--traces=", &settings.traces))
      continue;
    else
      return Usage();
  }
  if (wanted < 0 || wanted > 25 || settings.rounds < 5) return Usage();
  if (churn) return bench::ChurnChild();
  bench::PrintHeader();
  bench::MemoryFigures();
  bench::CacheFigures();
  bench::AsyncFigures();
  bench::LmdbFigures();
  bench::LevelDbFigures();
  bench::FilesystemFigures();
  bench::LruFigures();
  bench::S3Figures();
  bench::PrintSummary();
  return 0;
}
