#!/usr/bin/env bash
# With S3_BUCKET set and no server there, or no S3 store in this build, the quick start ends with 1
# and says so before it has done anything. usage: unreachable_s3_test.sh PROGRAM FOLDER
set -euo pipefail
rm -rf "$2"
mkdir -p "$2"
unset "${!AWS_@}" "${!S3_@}"
export S3_BUCKET=bucket S3_ACCESS_KEY=id S3_SECRET_KEY=unspoken S3_ENDPOINT=http://127.0.0.1:1
code=0
"$1" "$2/data" >"$2/output" 2>"$2/message" || code=$?
[ "$code" = 1 ]
grep -q 's3' "$2/message"
[ ! -s "$2/output" ]
if grep -r unspoken "$2"; then exit 1; fi
