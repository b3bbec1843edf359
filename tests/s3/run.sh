#!/usr/bin/env bash
# What is tested against the S3 server that the environment names (see with_radosgw.sh): the
# contract suite with S3 in it, behind a bad network too if there is a toxiproxy (with_toxiproxy.sh);
# the whole quick start; that the server does what it is known to do; and, where no tests are picked
# out, all of it that may go wrong with a wrong clock, by faketime.
# usage: run.sh BUILD_FOLDER XML_OF_RESULTS [FILTER_OF_TESTS]
set -euo pipefail
data=$(mktemp -d)
trap 'rm -rf "$data"' EXIT
code=0
"$1/tests/contract/contract_tests" --gtest_filter="${3:-*S3}" --gtest_output="xml:$2" || code=$?
"$1/examples/quickstart" "$data/first" || code=$?
if [ $# -lt 3 ]; then
  for off in +20m -20m +1d -1d +10y -10y; do
    echo "this machine's clock is $off off"
    CHAINSTORE_RIGHT_TIME=$(date +%s) FAKETIME_DONT_FAKE_MONOTONIC=1 DONT_FAKE_MONOTONIC=1 \
      faketime -f $off "$1/tests/contract/contract_tests" --gtest_filter='WrongClock.*' || code=$?
  done
fi
if [ -n "${S3_SERVER:-}" ]; then "$(dirname "${BASH_SOURCE[0]}")/quirks.py" "$S3_SERVER" || code=$?; fi
exit $code
