#!/usr/bin/env bash
# Runs a command with a real S3 server on loopback, which the environment names: S3_ENDPOINT,
# S3_BUCKET, S3_ACCESS_KEY, S3_SECRET_KEY, S3_REGION; S3_SERVER is its kind, and S3_QUIRKS
# what it does otherwise than S3 (quirks.py). The server is gone when this ends.
# usage: with_radosgw.sh DIR COMMAND...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$1
shift

source "$here/servers.sh"

trap '"$here/radosgw.sh" stop "$dir"' EXIT
environment=$("$here/radosgw.sh" start "$dir" "$(free_ports 3)")
while IFS= read -r line; do export "${line?}"; done <<<"$environment"
export S3_SERVER=radosgw
S3_QUIRKS=$("$here/quirks.py" --names $S3_SERVER)
export S3_QUIRKS
"$@"
