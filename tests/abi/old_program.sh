#!/bin/sh
# A program that was built against the header of a release runs with the library of today.
# old_program.sh COMPILER RELEASED_INCLUDE SOURCE LIBRARY EXPECTED
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$1" -std=c99 -Wall -Werror -I "$2" "$3" -o "$folder/program" "$4" -Wl,-rpath,"$(dirname "$4")"
cd "$folder"
./program > said
diff "$5" said
