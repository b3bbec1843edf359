#!/usr/bin/env bash
# What takes too long for every run. Builds what is missing; all output is in build/logs.
# usage: campaign.sh BUILD_FOLDER [network|versitygw|outage|lists|moto]...      (no name: all of it)
#   network    all 192 cells of tests/contract/s3_network_test.cc, of which tests/run.sh runs 48
#   versitygw  what tests/run.sh runs on radosgw, on a second server; and its quirks
#   outage     S3 is gone for a minute, under load
#   moto       keys from another's STS and metadata service; half a minute of pip
#   lists      10,000 keys, of which tests/run.sh makes 1,500
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=$(realpath "$1")
shift
BUILD_DIR=$PWD/build
mkdir -p "$BUILD_DIR/logs"
source tests/lib/packages.sh
ensure_packages s3

network() {
  ensure_toxiproxy
  CHAINSTORE_NETWORK_CELLS=all tests/s3/with_radosgw.sh "$BUILD_DIR/radosgw-campaign" \
    tests/s3/with_toxiproxy.sh "$build/tests/contract/contract_tests" \
    --gtest_filter='Cells/NetworkTest*'
}

versitygw() {
  ensure_versitygw
  tests/s3/with_versitygw.sh "$BUILD_DIR/versitygw" \
    tests/s3/run.sh "$build" "$BUILD_DIR/logs/s3-versitygw.xml"
}

outage() {
  CHAINSTORE_OUTAGE_SECONDS=60 tests/s3/with_radosgw.sh "$BUILD_DIR/radosgw-campaign" \
    "$build/tests/contract/contract_tests" --gtest_filter='OutageTest*'
}

lists() {
  CHAINSTORE_LISTED_KEYS=10000 tests/s3/with_radosgw.sh "$BUILD_DIR/radosgw-campaign" \
    "$build/tests/contract/contract_tests" --gtest_filter='Lists.*'
}

moto() {
  tests/s3/moto.sh "$build" "$BUILD_DIR/moto"
}

[ $# != 0 ] || set -- network versitygw outage lists moto
failed=0
for part in "$@"; do
  log=$BUILD_DIR/logs/s3-campaign-$part.log
  begin=$SECONDS
  # Not as a condition: there a shell goes on behind a failure.
  (set -e; "$part") >"$log" 2>&1 </dev/null &
  verdict=ok
  wait $! || verdict=FAILED failed=1
  echo "$part: $verdict, $((SECONDS - begin)) s (${log#"$PWD"/})"
  grep -E '^\[  (PASSED|FAILED) |passed, |^reads/s ' "$log" || true
done
exit $failed
