#!/usr/bin/env bash
# Runs a command with a toxiproxy server on loopback, whose API is at TOXIPROXY_URL: tests make
# proxies in front of S3_ENDPOINT with it. Gone when this ends. Where there is no toxiproxy-server
# on the path the command is run without it, and says what it leaves out.
# usage: with_toxiproxy.sh COMMAND...
set -euo pipefail

if ! command -v toxiproxy-server >/dev/null; then
  echo "toxiproxy-server is not there: nothing is tested behind a bad network"
  exec "$@"
fi

source "$(dirname "${BASH_SOURCE[0]}")/servers.sh"

port=$(free_ports 1)
toxiproxy-server -host 127.0.0.1 -port "$port" -seed 1 >/dev/null 2>&1 </dev/null &
server=$!
trap 'kill $server; wait $server || true' EXIT
wait_for_port "$port" $server
export TOXIPROXY_URL=http://127.0.0.1:$port
"$@"
