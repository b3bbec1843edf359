#!/usr/bin/env bash
# Installs what is missing, builds, runs every suite, and prints one line per suite and a summary.
# usage: tests/run.sh [--quick]
#   --quick   one build (release), all of its suites but the long ones, and of S3 the quick start
#             alone: a minute, and on a new checkout two more to build
# All output is in build/logs; nothing is written outside the checkout, but for Debian packages.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
BUILD_DIR=$ROOT/build
LOGS=$BUILD_DIR/logs
JOBS=$(nproc)
source tests/lib/packages.sh
source tests/lib/suites.sh

quick=false
case "${1:-}" in
  --quick) quick=true ;;
  "") ;;
  *)
    sed -n '2,6s/^# //p' "$0" >&2
    exit 64
    ;;
esac

# Leaks fail a program; so does every finding of the undefined-behaviour sanitizer (by its build).
export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
# googletest's TempDir and mkdtemp's callers.
rm -rf "$BUILD_DIR/tmp"
mkdir -p "$BUILD_DIR/tmp" "$LOGS"
export TMPDIR=$BUILD_DIR/tmp TEST_TMPDIR=$BUILD_DIR/tmp
unset "${!GTEST_@}" "${!CTEST_@}" "${!S3_@}" "${!AWS_@}" MAKEFLAGS

ensure_packages build test s3
ensure_promtool

if command -v $FORMATTER >/dev/null; then
  suite "format" check_format
else
  echo "there is no $FORMATTER here, and other versions lay some lines out otherwise: the format is not checked"
fi
if $quick; then
  suite "release: build" build release -DCHAINSTORE_TEST_SHARDS=ON
  begin "quickstart: S3" run_on_s3 release # its server sleeps most of the time until it is up
  ctest_suite "release: tests" release -LE long
  end "quickstart: S3"
  finish
fi
suite "release: build" build release -DCHAINSTORE_TEST_SHARDS=OFF
ctest_suite "release: tests" release
suite "quickstart" run_quickstart
if can_build_with_go; then
  suite "toxiproxy: build" ensure_toxiproxy
else
  echo "there is no Go to build toxiproxy with: S3 is not tested behind a bad network"
fi
s3_suite "release: S3" release
# clang compiles everything for the sanitizers, with the thread-safety analysis and without a warning.
suite "asan: build" build asan
ctest_suite "asan: tests" asan -LE 'bench|structure'
suite "tsan: build" build tsan
ctest_suite "tsan: tests" tsan -L 'unit|contract|capi'
suite "no engines: build" build_without LMDB LEVELDB S3
ctest_suite "no engines: tests" minimal -LE 'structure|long'
suite "no LMDB: build" build_without LMDB
suite "no LevelDB: build" build_without LEVELDB
suite "fuzzing" tests/fuzz/run.sh
finish
