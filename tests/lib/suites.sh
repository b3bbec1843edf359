# shellcheck shell=bash
# What tests/run.sh is made of: runs a suite with its output in a log, prints one line for it, and
# counts test cases. To be sourced, with ROOT, BUILD_DIR, LOGS and JOBS set.

PASSED=0
FAILED=0
SKIPPED=0
LOG_TAIL=40 # lines of a failed suite's log that are shown: its last ones, and
LOG_CAUSES=60 # those that say what failed, with what follows them

log_of() { # NAME: the path of its log
  echo "$LOGS/$(echo "$1" | tr -c 'a-z0-9\n' '-' | tr -s '-').log"
}

# report NAME SECONDS PASSED FAILED SKIPPED LOG
report() {
  local verdict=ok counts=
  [ "$4" = 0 ] || verdict=FAILED
  [ "$3$4$5" = 100 ] || counts="$3 passed, $4 failed, $5 skipped"
  printf '%-18s %-7s %3dm%02ds  %s\n' "$1" "$verdict" $(($2 / 60)) $(($2 % 60)) "$counts"
  PASSED=$((PASSED + $3))
  FAILED=$((FAILED + $4))
  SKIPPED=$((SKIPPED + $5))
  if [ "$4" != 0 ]; then
    grep -A9 -E ': Failure$|: error:|^\[   LINE   \]|Sanitizer: |Assertion .* failed' "$6" | head -n $LOG_CAUSES
    tail -n $LOG_TAIL "$6"
    echo "all of it: ${6#"$ROOT"/}"
  fi
}

# suite NAME COMMAND...: a command that counts as one test.
suite() {
  local name=$1 log begin=$SECONDS failed=0
  shift
  log=$(log_of "$name")
  "$@" >"$log" 2>&1 </dev/null || failed=1
  report "$name" $((SECONDS - begin)) $((1 - failed)) $failed 0 "$log"
}

# begin NAME COMMAND...: a suite that runs beside those that follow, until `end NAME` reports it.
declare -A BEGUN PIDS
begin() {
  local name=$1
  shift
  BEGUN[$name]=$SECONDS
  "$@" >"$(log_of "$name")" 2>&1 </dev/null &
  PIDS[$name]=$!
}
end() {
  local name=$1 failed=0
  wait "${PIDS[$name]}" || failed=1
  report "$name" $((SECONDS - BEGUN[$name])) $((1 - failed)) $failed 0 "$(log_of "$name")"
}

# ctest_suite NAME PRESET CTEST_ARGUMENT...: every test of ctest counts, by ctest's own record; a shard
# (tests/CMakeLists.txt) counts as the tests that it ran. As many at once as keep the cores busy: most
# tests wait for a disk or a clock half of their time.
ctest_suite() {
  local name=$1 dir=$BUILD_DIR/$2 log junit begin=$SECONDS code=0 total failed skipped
  shift 2
  log=$(log_of "$name")
  junit=${log%.log}.xml
  rm -rf "$junit" "$dir/shards"
  with_fixed_addresses ctest --test-dir "$dir" -j $((JOBS * 2)) --timeout 300 --output-on-failure --no-tests=error \
    --output-junit "$junit" "$@" >"$log" 2>&1 </dev/null || code=$?
  total=$(junit_count tests "$junit")
  failed=$(junit_count failures "$junit")
  skipped=$(($(junit_count skipped "$junit") + $(junit_count disabled "$junit")))
  local shard failures
  for shard in "$dir"/shards/*.xml; do
    [ -f "$shard" ] || continue
    failures=$(gtest_count failures "$shard")
    total=$((total + $(gtest_count tests "$shard") - 1))
    failed=$((failed + (failures > 0 ? failures - 1 : 0)))
    skipped=$((skipped + $(grep -c 'result="skipped"' "$shard")))
  done
  # A ctest that fails without a failed test (nothing was built, none was found) is a failure too.
  if [ "$code" != 0 ] && [ "$failed" = 0 ]; then
    failed=1
    total=$((total + 1))
  fi
  report "$name" $((SECONDS - begin)) $((total - failed - skipped)) "$failed" "$skipped" "$log"
}

# s3_suite NAME PRESET [FILTER]: the tests that need a real S3 server, which runs only as long. The quick
# start counts as one of them.
s3_suite() {
  local name=$1 dir=$BUILD_DIR/$2 log xml begin=$SECONDS code=0 total failed
  log=$(log_of "$name")
  xml=${log%.log}.xml
  rm -f "$xml"
  tests/s3/with_radosgw.sh "$BUILD_DIR/radosgw" tests/s3/with_tls.sh "$BUILD_DIR/radosgw" \
    tests/s3/with_toxiproxy.sh tests/s3/run.sh "$dir" "$xml" "${3:-*S3}" >"$log" 2>&1 </dev/null || code=$?
  total=$(($(gtest_count tests "$xml") + 1))
  failed=$(gtest_count failures "$xml")
  if [ "$code" != 0 ] && [ "$failed" = 0 ]; then failed=1; fi
  report "$name" $((SECONDS - begin)) $((total - failed)) "$failed" 0 "$log"
}

gtest_count() { # ATTRIBUTE FILE: of all that a googletest program ran; 0 without a file
  local count
  count=$(grep -oE -m1 "<testsuites [^>]*$1=\"[0-9]+\"" "$2" 2>/dev/null | grep -oE '[0-9]+' | tail -1)
  echo "${count:-0}"
}

junit_count() { # ATTRIBUTE FILE: of the test suite; 0 without a file
  local count
  count=$(grep -oE -m1 "^[[:space:]]*$1=\"[0-9]+\"" "$2" 2>/dev/null | grep -oE '[0-9]+')
  echo "${count:-0}"
}

finish() {
  echo "logs: ${LOGS#"$ROOT"/}; time: $((SECONDS / 60))m$((SECONDS % 60))s"
  if [ "$SKIPPED" = 0 ]; then
    echo "$PASSED passed, $FAILED failed"
  else
    echo "$PASSED passed, $FAILED failed, $SKIPPED skipped"
  fi
  [ "$FAILED" = 0 ]
  exit
}

# ---- The suites ----

# The thread sanitizer of older clangs cannot run where the kernel randomises addresses widely.
fixed_addresses=()
if setarch -R true 2>/dev/null; then fixed_addresses=(setarch -R); fi
with_fixed_addresses() {
  "${fixed_addresses[@]}" "$@"
}

build() { # PRESET CMAKE_ARGUMENT...
  local preset=$1 compiler=()
  shift
  case $preset in
    clang | asan | tsan | fuzz)
      local version
      version=$(clang_version)
      compiler=("-DCMAKE_C_COMPILER=clang-$version" "-DCMAKE_CXX_COMPILER=clang++-$version")
      ;;
  esac
  cmake --preset "$preset" "${compiler[@]}" "$@" &&
    with_fixed_addresses cmake --build "build/$preset" -j "$JOBS" # a build asks programs for their tests
}

# build_without ENGINE...: the rest of the library, in one build folder, with assertions.
build_without() {
  local engine value arguments=()
  for engine in LMDB LEVELDB S3; do
    value=ON
    [[ " $* " != *" $engine "* ]] || value=OFF
    arguments+=("-DCHAINSTORE_WITH_$engine=$value")
  done
  local target=(--target chainstore) unity=ON
  # Everything, and each source by itself: one that lacks an #include fails here.
  [ $# != 3 ] || target=() unity=OFF
  cmake --preset debug -B "$BUILD_DIR/minimal" "${arguments[@]}" -DCHAINSTORE_UNITY=$unity &&
    cmake --build "$BUILD_DIR/minimal" -j "$JOBS" "${target[@]}"
}

check_format() {
  # The public header is laid out by hand: it is the manual.
  find src tests examples -name '*.[ch]' -print0 -o -name '*.cc' -print0 |
    xargs -0 $FORMATTER --dry-run -Werror
}

# The quick start's program, as it was built, on a real S3 server.
run_on_s3() { # PRESET
  rm -rf "$BUILD_DIR/tmp/on-s3"
  tests/s3/with_radosgw.sh "$BUILD_DIR/radosgw" "$BUILD_DIR/$1/examples/quickstart" "$BUILD_DIR/tmp/on-s3"
}

# The example's program checks every step itself; the script's second run must do without a build.
run_quickstart() {
  examples/quickstart.sh
}
