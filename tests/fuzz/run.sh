#!/usr/bin/env bash
# Runs every fuzz target for SECONDS (default 30) on a copy of its corpus, a few at a time, and
# prints one line for each. Exits non-zero if one of them found something.
#   tests/fuzz/run.sh [SECONDS]
# A new input worth keeping goes into tests/fuzz/corpus/TARGET; keep that folder small.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
BUILD_DIR=$ROOT/build
JOBS=${JOBS:-$(nproc)}
seconds=${1:-30}
[[ $seconds =~ ^[0-9]+$ ]] || { sed -n '2,4s/^# //p' "$0" >&2; exit 64; }
cd "$ROOT" || exit
# shellcheck source=tests/lib/packages.sh
. tests/lib/packages.sh

log=$BUILD_DIR/fuzz-build.log
mkdir -p "$BUILD_DIR"
version=$(clang_version)
cmake --preset fuzz "-DCMAKE_C_COMPILER=clang-$version" "-DCMAKE_CXX_COMPILER=clang++-$version" >"$log" 2>&1 &&
  cmake --build build/fuzz --target fuzz_targets -j "$JOBS" >>"$log" 2>&1 || {
  tail -n 40 "$log"
  echo "the fuzz targets do not build; all of it: ${log#"$ROOT"/}"
  exit 1
}

export ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1

# run_target NAME: 0 if it found nothing.
run_target() {
  local name=$1 work=$BUILD_DIR/fuzz/run/$1 begin=$SECONDS verdict=ok code=0
  rm -rf "$work"
  mkdir -p "$work/corpus"
  if [ -d "tests/fuzz/corpus/$name" ]; then cp -r "tests/fuzz/corpus/$name/." "$work/corpus"; fi
  "build/fuzz/tests/fuzz/$name" "-max_total_time=$seconds" -timeout=25 -rss_limit_mb=2048 \
    -print_final_stats=1 "-artifact_prefix=$work/" "$work/corpus" >"$work/log" 2>&1 </dev/null || code=$?
  [ "$code" = 0 ] || verdict=FAILED
  printf '%-18s %-7s %3ds  %s inputs\n' "$name" "$verdict" $((SECONDS - begin)) \
    "$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log")"
  if [ "$code" != 0 ]; then
    tail -n 40 "$work/log"
    echo "all of it, and the input: ${work#"$ROOT"/}"
  fi
  return "$code"
}

failed=0
running=0
for source in tests/fuzz/*_fuzz.cc; do
  if [ "$running" -ge "$JOBS" ]; then
    wait -n || failed=1
    running=$((running - 1))
  fi
  run_target "$(basename "$source" .cc)" &
  running=$((running + 1))
done
while [ "$running" -gt 0 ]; do
  wait -n || failed=1
  running=$((running - 1))
done
exit $failed
