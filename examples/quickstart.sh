#!/usr/bin/env bash
# Installs what is missing, builds the library, and runs examples/quickstart.c.
# With S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY (and S3_REGION, S3_ENDPOINT) set, that bucket is the
# remote store; else a local directory plays it.
# usage: examples/quickstart.sh [--with-s3]
#   --with-s3   starts an S3 server on loopback first (Ceph's, which is installed if it is missing),
#               runs against it, and stops it
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD_DIR=$PWD/build
source tests/lib/packages.sh

with_s3=false
case "${1:-}" in
  --with-s3) with_s3=true ;;
  "") ;;
  *)
    sed -n '2,8s/^# //p' "$0" >&2
    exit 64
    ;;
esac

ensure_packages build
if $with_s3; then ensure_packages s3; fi
mkdir -p "$BUILD_DIR/logs"
log=$BUILD_DIR/logs/quickstart.log
echo "building chainstore, about a minute the first time"
if ! { cmake --preset release -B "$BUILD_DIR/quickstart" -DCHAINSTORE_TESTS=OFF &&
  cmake --build "$BUILD_DIR/quickstart" --target quickstart; } >"$log" 2>&1; then
  tail -n 20 "$log"
  echo "the build failed; all of its output is in $log" >&2
  exit 1
fi
echo "running examples/quickstart.c"
data=$BUILD_DIR/quickstart/data
rm -rf "$data"
mkdir -p "$data"
if $with_s3; then
  echo "starting an S3 server, half a minute"
  exec tests/s3/with_radosgw.sh "$BUILD_DIR/quickstart/radosgw" \
    "$BUILD_DIR/quickstart/examples/quickstart" "$data"
fi
exec "$BUILD_DIR/quickstart/examples/quickstart" "$data"
