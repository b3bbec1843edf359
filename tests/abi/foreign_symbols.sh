#!/bin/sh
# Libraries that also begin their names with cs_ (libcapstone, FreeTDS) share no export with ours, and
# a program that is linked with them first runs as ever.
# foreign_symbols.sh COMPILER INCLUDE SOURCE LIBRARY EXPECTED FOREIGN...
set -eu
compiler=$1 include=$2 source=$3 library=$4 expected=$5
shift 5
for foreign; do
  if ! [ -e "$foreign" ]; then
    echo "skipped: $foreign; Debian's packages libcapstone-dev and freetds-dev have them" >&2
    exit 77
  fi
done
export LC_ALL=C
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
exports() { nm -D --defined-only "$1" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u; }
exports "$library" > "$folder/ours"
grep -q '^cs_get$' "$folder/ours"
path=$(dirname "$library")
for foreign; do
  exports "$foreign" > "$folder/theirs"
  grep -q . "$folder/theirs"
  if comm -12 "$folder/ours" "$folder/theirs" | grep .; then
    echo "exported by $foreign too" >&2
    exit 1
  fi
  path=$path:$(dirname "$foreign")
done
"$compiler" -std=c99 -I "$include" "$source" -o "$folder/program" -Wl,--no-as-needed "$@" "$library" \
  -Wl,-rpath,"$path" -Wl,--allow-shlib-undefined
cd "$folder"
./program > said
diff "$expected" said
