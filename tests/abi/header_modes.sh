#!/usr/bin/env bash
# Compiles a file that does nothing but include chainstore.h (twice) and check its layout, in every
# mode of C and C++ that the header promises, for 64 bits and for 32.
# usage: header_modes.sh COMPILER INCLUDE_DIR LAYOUT.c
set -uo pipefail
compiler=$1 include=$2 layout=$3
strict=(-Wall -Wextra -Wconversion -Wundef -pedantic -Werror -fsyntax-only -I "$include")
failed=0

# The first name of a mode that this compiler knows: new standards are known by a working name first.
mode_of() { # LANGUAGE NAME...
  local language=$1 name
  shift
  for name in "$@"; do
    if echo | "$compiler" -x "$language" -std="$name" -fsyntax-only - 2>/dev/null; then
      echo "$name"
      return
    fi
  done
}

check() { # LANGUAGE MODE OPTION...
  local language=$1 mode=$2
  shift 2
  if [ -z "$mode" ]; then
    echo "FAILED: $compiler knows no such mode of $language"
    failed=1
  elif ! "$compiler" -x "$language" -std="$mode" "${strict[@]}" "$@" "$layout"; then
    echo "FAILED: $compiler -x $language -std=$mode $*"
    failed=1
  else
    echo "ok: $language $mode $*"
  fi
}

for extra in "" "-DCS_STATIC" "-m32 -ffreestanding"; do
  # shellcheck disable=SC2086 # several options in one word
  {
    for names in c99 c11 "c17 c18" "c23 c2x"; do
      check c "$(mode_of c $names)" $extra
    done
    for names in c++11 c++14 c++17 c++20 "c++23 c++2b"; do
      check c++ "$(mode_of c++ $names)" $extra
    done
  }
done
exit $failed
