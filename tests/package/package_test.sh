#!/usr/bin/env bash
# What a user of the installed package does, one case per run:
#   install          installs into an empty prefix; the cases below it use that
#   destdir          a staged install has exactly the expected files, and none names the build tree
#   pkgconfig-shared, pkgconfig-static    a program built with nothing but pkg-config's answer
#   cmake-shared, cmake-static            a project that says find_package(chainstore)
# usage: package_test.sh CASE BUILD_DIR SOURCE_DIR C_COMPILER
set -euo pipefail
case_name=$1 build=$2 source=$3 cc=$4
work=$build/tests/package/$case_name
prefix=$build/tests/package/prefix
rm -rf "$work"
mkdir -p "$work"
cd "$work"

fail() {
  echo "FAIL: $*" >&2
  exit 1
}

# run_consumer PROGRAM NEEDS: runs it; NEEDS tells whether it must be linked with the shared library.
run_consumer() {
  local needs
  needs=$(readelf -d "$1" | grep -c 'NEEDED.*libchainstore\.so\.0' || true)
  [ "$needs" = "$2" ] || fail "$1 is linked with libchainstore.so $needs times, not $2"
  LD_LIBRARY_PATH=$prefix/lib "$1"
}

pkgconfig() {
  PKG_CONFIG_PATH=$prefix/lib/pkgconfig pkg-config "$@" chainstore
}

cmake_consumer() { # LIBRARY COMPONENTS NEEDS
  cmake -S "$source/tests/package/consumer" -B build -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_C_COMPILER="$cc" -DLIBRARY="$1" -DCOMPONENTS="$2"
  cmake --build build
  run_consumer ./build/consumer "$3"
}

case $case_name in
  install)
    rm -rf "$prefix"
    cmake --install "$build" --prefix "$prefix"
    ;;
  destdir)
    DESTDIR=$work/stage cmake --install "$build" --prefix /opt/chainstore
    (cd stage && find . ! -type d | sort) >found
    config=$(sed -n 's/^CMAKE_BUILD_TYPE:[A-Z]*=//p' "$build/CMakeCache.txt" | tr '[:upper:]' '[:lower:]')
    sed "s/CONFIG/${config:-noconfig}/" "$source/tests/package/installed_files" | sort >expected
    diff -u expected found || fail "other files than tests/package/installed_files lists"
    if grep -rIl -e "$build" -e "$source" stage; then
      fail "these installed files name the build or the source tree"
    fi
    ;;
  pkgconfig-shared)
    # shellcheck disable=SC2046 # the answer is a list of words
    "$cc" -o consumer "$source/tests/package/consumer/consumer.c" $(pkgconfig --cflags --libs)
    run_consumer ./consumer 1
    ;;
  pkgconfig-static)
    # The linker prefers a .so of the same name, so the archive is asked for by its file name.
    flags=$(pkgconfig --static --cflags --libs)
    "$cc" -o consumer "$source/tests/package/consumer/consumer.c" \
      ${flags/-lchainstore/-l:libchainstore.a}
    run_consumer ./consumer 0
    ;;
  cmake-shared) cmake_consumer chainstore::chainstore "" 1 ;;
  cmake-static) cmake_consumer chainstore::static static 0 ;;
  *) fail "no such case: $case_name" ;;
esac
