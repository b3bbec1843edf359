#!/bin/sh
# Compares the ABI of a library with a stored dump. Additions are no break.
# abi_diff.sh INCLUDE DUMP LIBRARY: 0, or what a program linked to the old one would trip over; 77
#   without the tools.
# abi_diff.sh --write INCLUDE DUMP LIBRARY: stores the dump of a release. By the build:
#   ninja -C build/debug abi_dump
# Debug information is what it is made of: a build of type Debug has it.
set -eu
for tool in abidw abidiff; do
  if ! command -v $tool >/dev/null; then
    echo "skipped: there is no $tool here; Debian's package abigail-tools has it" >&2
    exit 77
  fi
done
# Nothing of where it was built, nor of which engines: a dump is the same from every build.
dump() {
  abidw --exported-interfaces-only --headers-dir "$1" --drop-private-types --no-show-locs \
    --no-comp-dir-path --no-corpus-path --no-elf-needed --out-file "$2" "$3"
}
if [ "$1" = --write ]; then
  dump "$2" "$3" "$4"
  exit 0
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
dump "$1" "$folder/now.abi" "$3"
# Without types there is nothing to compare, and nothing would be found.
if ! grep -q '<function-decl ' "$folder/now.abi"; then
  echo "$3 has no debug information" >&2
  exit 1
fi
# Dump against dump: abidiff of Debian stable aborts on a dump against a library.
# A capability added to an enum, a function added: what was compiled before does not see them.
abidiff --no-added-syms "$2" "$folder/now.abi"
