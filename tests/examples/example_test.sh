#!/usr/bin/env bash
# usage: example_test.sh PROGRAM EXPECTED_OUTPUT FOLDER ARGUMENT...
set -euo pipefail
program=$1 expected=$2 folder=$3
shift 3
rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
unset S3_BUCKET
"$program" "$@" >output
diff -u "$expected" output
