#!/usr/bin/env bash
# The scripts that start servers wipe no folder but their own. Needs no server: the first program that
# they would start is one of this test's, which fails.
# usage: scripts_test.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
at=$(mktemp -d)
trap 'rm -rf "$at"' EXIT
failed=0

mkdir "$at/bin"
for program in monmaptool versitygw; do
  printf '#!/bin/sh\necho started\nexit 99\n' >"$at/bin/$program"
  chmod +x "$at/bin/$program"
done
export PATH=$at/bin:$PATH

expect() { # WHAT CONDITION...
  local what=$1
  shift
  if ! "$@"; then
    echo "FAILED: $what"
    failed=1
  fi
}

# run_script SCRIPT FOLDER: its status, and what it says, in $code and $said.
run_script() {
  code=0
  case $1 in
    radosgw.sh) said=$("$here/radosgw.sh" start "$2" 29990 2>&1) || code=$? ;;
    *) said=$("$here/$1" "$2" true 2>&1) || code=$? ;;
  esac
}

for script in radosgw.sh with_versitygw.sh; do
  # Somebody's own, though it looks like a server's.
  foreign=$at/$script-foreign
  mkdir "$foreign"
  echo precious >"$foreign/ceph.conf"
  for folder in "$foreign" "$at/$script-link" "$foreign/ceph.conf"; do
    [ -e "$folder" ] || ln -s "$foreign" "$folder"
    run_script $script "$folder"
    expect "$script refuses $folder: $said" [ $code = 73 ]
    expect "$script names it: $said" grep -q "$folder" <<<"$said"
    expect "$script leaves it as it is" [ "$(cat "$foreign/ceph.conf")" = precious ]
  done
  # None, an empty one, its own from before.
  own=$at/$script-own
  for round in none empty own; do
    [ $round != empty ] || { rm -rf "$own" && mkdir "$own"; }
    [ $round != own ] || echo old >"$own/left"
    run_script $script "$own"
    expect "$script starts in a folder that is $round: $code $said" [ $code != 73 ]
    expect "$script has got as far as its server in one that is $round" [ -n "$(ls "$own")" ]
    expect "$script wipes what it has left" [ ! -e "$own/left" ]
  done
done
[ $failed = 0 ] && echo "the scripts wipe nothing but their own folders"
exit $failed
