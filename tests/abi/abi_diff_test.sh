#!/bin/sh
# abi_diff.sh goes red on a public break and stays green on a private change, an added function and
# an added constant: shown on a library of two functions, and on the stored dump itself.
# abi_diff_test.sh COMPILER INCLUDE DUMP LIBRARY
set -eu
compiler=$1 include=$2 stored=$3 library=$4
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# build NAME FIELD_OF_A_PUBLIC_STRUCT PRIVATE_FIELD ARGUMENT CONSTANTS [MORE]
build() {
  mkdir -p "$1"
  {
    printf 'typedef struct thing thing;\nenum color { %s };\n' "$5"
    printf 'typedef struct call { int size; %s; enum color color; } call;\n' "$2"
    printf 'int thing_ask(thing *t, const call *c, %s a);\n' "$4"
    printf '%s\n' "${6:-int thing_end(thing *t);}"
  } > "$1/api.h"
  {
    printf '#include "api.h"\nstruct thing { int count; %s; };\n' "$3"
    printf 'int thing_ask(thing *t, const call *c, %s a) { return t->count + c->size + (int)a; }\n' "$4"
    [ "${6:-}" = ' ' ] || printf 'int thing_end(thing *t) { return t->count; }\n'
    [ "${7:-}" = '' ] || printf 'int thing_more(thing *t);\nint thing_more(thing *t) { return t->count; }\n'
  } > "$1/api.c"
  "$compiler" -g -shared -fPIC "$1/api.c" -o "$1/libthing.so"
}
build old 'int flags' 'int seen' int 'RED, BLUE'
build private 'int flags' 'long seen[4]' int 'RED, BLUE'
build constant 'int flags' 'int seen' int 'RED, BLUE, GREEN'
build added 'int flags' 'int seen' int 'RED, BLUE' 'int thing_end(thing *t); int thing_more(thing *t);' more
build field 'long flags' 'int seen' int 'RED, BLUE'
build argument 'int flags' 'int seen' long 'RED, BLUE'
build renumbered 'int flags' 'int seen' int 'GREEN, RED, BLUE'
build removed 'int flags' 'int seen' int 'RED, BLUE' ' '

"$here/abi_diff.sh" --write "$folder/old" old.abi old/libthing.so || exit $? # 77: without the tools
for kept in old private constant added; do
  "$here/abi_diff.sh" "$folder/$kept" old.abi "$kept/libthing.so" || {
    echo "called a break, but is none: $kept" >&2
    exit 1
  }
done
for broken in field argument renumbered removed; do
  if "$here/abi_diff.sh" "$folder/$broken" old.abi "$broken/libthing.so" > said; then
    echo "a public break is not seen: $broken" >&2
    exit 1
  fi
done
"$compiler" -shared -fPIC old/api.c -o old/libthing.so
if "$here/abi_diff.sh" "$folder/old" old.abi old/libthing.so 2> said; then
  echo "a library without debug information is compared as if it had any" >&2
  exit 1
fi

# What a release would have had, and the library has not: the stored dump with another function,
# another return type, a longer struct.
sed 's/cs_store_caps/cs_store_gone/g' "$stored" > function.abi
sed "/<class-decl name='cs_call' size-in-bits=/s/size-in-bits='[0-9]*'/size-in-bits='4096'/" "$stored" > struct.abi
for broken in function struct; do
  if cmp -s "$stored" "$broken.abi"; then
    echo "the dump could not be broken: $broken" >&2
    exit 1
  fi
  if "$here/abi_diff.sh" "$include" "$broken.abi" "$library" > said; then
    echo "a break of chainstore itself is not seen: $broken" >&2
    exit 1
  fi
done
