# shellcheck shell=bash
# What the scripts that start servers for tests share: ports and folders. To be sourced.

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_ports COUNT: the first of so many in a row on loopback that nobody listens on.
free_ports() {
  local first port
  while :; do
    first=$((20000 + RANDOM % 10000))
    for ((port = first; port < first + $1; port++)); do
      ! answers "$port" || continue 2
    done
    echo "$first"
    return
  done
}

# wait_for_port PORT PID: until somebody listens there; fails where that process has ended before.
wait_for_port() {
  local attempt
  for attempt in $(seq 300); do
    if answers "$1"; then return 0; fi
    kill -0 "$2" || return
    sleep 0.1
  done
  echo "nobody listens on port $1 after ${attempt} tries" >&2
  return 1
}

OWN_MARK=.chainstore-server # a file in each folder that these scripts have made

# require_own DIR: ends the script where DIR is there, has something in it, and is none of theirs.
require_own() {
  [ -e "$1" ] || [ -L "$1" ] || return 0
  if [ -d "$1" ] && [ ! -L "$1" ]; then
    if [ -f "$1/$OWN_MARK" ] || [ -z "$(ls -A "$1")" ]; then return 0; fi
  fi
  echo "$1 is no folder of a test server's ($OWN_MARK is not in it): it is left as it is" >&2
  exit 73
}

# new_folder DIR: makes it, without what an earlier server has left in it.
new_folder() {
  require_own "$1"
  rm -rf "$1"
  mkdir -p "$1"
  : >"$1/$OWN_MARK" # the first thing in it: a start that was cut off can be repeated
}
