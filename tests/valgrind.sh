#!/usr/bin/env bash
# The C API's suite and the unit tests under valgrind, which also looks into libraries that the
# sanitizers do not: bytes that nobody has set, writes past an end, leaks. Half an hour and more.
# All output is in build/logs.
# usage: tests/valgrind.sh [FILTER_OF_UNIT_TESTS]
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
ROOT=$PWD
BUILD_DIR=$ROOT/build
LOGS=$BUILD_DIR/logs
JOBS=$(nproc)
source tests/lib/packages.sh
source tests/lib/suites.sh
export TMPDIR=$BUILD_DIR/tmp TEST_TMPDIR=$BUILD_DIR/tmp
mkdir -p "$TMPDIR" "$LOGS"
ensure_packages build test valgrind

under_valgrind() {
  valgrind -q --error-exitcode=9 --child-silent-after-fork=yes --fair-sched=yes "$@"
}

suite "release: build" build release
# A thousand cycles are a thousand times the threads of a runtime.
suite "valgrind: C API" under_valgrind --leak-check=full --errors-for-leak-kinds=definite,indirect \
  build/release/tests/capi/capi_static_test 'test_a_thousand*'
# Two tests measure what the process takes of its address space and memory: here that is valgrind's. One
# asks for more memory than there is: valgrind ends it.
misplaced=LmdbOpenTest.FindsAMapThatFits*:MemoryStoreTest.CostsWhatItTakesOfTheProcess
misplaced+=:EndpointsTest.ThatSendMoreThanThereIsMemory*
# Leaks are the address sanitizer's here: many of these tests fork a child that leaves without tidying up.
suite "valgrind: unit" under_valgrind build/release/tests/unit_tests --gtest_brief=1 --gtest_filter="${1:-*}-$misplaced"
finish
