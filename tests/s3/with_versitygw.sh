#!/usr/bin/env bash
# Runs a command with versitygw on loopback, a second S3 server of another making; the environment is
# that of with_radosgw.sh. Needs versitygw on the path (ensure_versitygw), and a file system with the
# user's extended attributes for DIR. The server is gone when this ends.
# usage: with_versitygw.sh DIR COMMAND...
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
dir=$(realpath -ms "$1")
shift

source "$here/servers.sh"

port=$(free_ports 1)
new_folder "$dir"
mkdir "$dir"/{data,versions,users}
# Without --keep-alive it closes each connection behind its answer.
ROOT_ACCESS_KEY_ID=AKTEST ROOT_SECRET_ACCESS_KEY=SKTESTSKTEST versitygw \
  --port "127.0.0.1:$port" --keep-alive --iam-dir "$dir/users" \
  posix --versioning-dir "$dir/versions" "$dir/data" >"$dir/log" 2>&1 </dev/null &
server=$!
trap 'kill $server; wait $server || true' EXIT
wait_for_port "$port" $server
export S3_ENDPOINT=http://127.0.0.1:$port S3_BUCKET=chainstore-test S3_REGION=us-east-1 \
  S3_ACCESS_KEY=AKTEST S3_SECRET_KEY=SKTESTSKTEST S3_SERVER=versitygw
python3 "$here/make_bucket.py" "$S3_ENDPOINT" "$S3_BUCKET" "$S3_ACCESS_KEY" "$S3_SECRET_KEY"
S3_QUIRKS=$("$here/quirks.py" --names $S3_SERVER)
export S3_QUIRKS
"$@"
