# shellcheck shell=bash
# The one place that names Debian packages: what chainstore is built, tested and checked with, and
# the functions that install what is missing. The names hold for Debian 12 and for Ubuntu 22.04 and
# newer. To be sourced, with BUILD_DIR set: logs go to $BUILD_DIR/logs.

# group  package  why. A row whose third word is @COMMAND also counts as present when that command
# is on the path: a tool, unlike a library, may have come from somewhere else. With ? for a third
# word, a release that does not have the package does without.
package_table() {
  cat <<'ROWS'
build  cmake                @cmake  describes the build
build  ninja-build          @ninja  runs it
build  g++                  @g++    compiles C++20, and C by the gcc that comes with it
build  pkg-config           @pkg-config  finds the libraries below
build  libisal-dev          CRC32C
build  libxxhash-dev        hashes of keys, header only
build  liblmdb-dev          the LMDB store
build  libssl-dev           SHA-256 of keys, signatures of S3
build  libcurl4-openssl-dev  the S3 store's HTTP
build  libexpat1-dev        the S3 store's XML
build  libleveldb-dev       the LevelDB store
build  libsnappy-dev        its compression: its CMake package names it, its Debian package does not
build  ccache               @ccache  makes the second build quick
s3     radosgw              @radosgw  the S3 server that the S3 store is tested against
s3     ceph-mon             @ceph-mon  what it stands on
s3     ceph-mgr             @ceph-mgr  the same
s3     ceph-osd             @ceph-osd  the same
s3     ceph-common          @ceph  sets it up
s3     curl                 @curl  asks whether it is up
s3     python3              @python3  makes its bucket
s3     openssl              @openssl  makes certificates
s3     faketime             @faketime  a clock that is wrong
valgrind  valgrind          @valgrind  tests/valgrind.sh
test   libgtest-dev         C++ tests
test   libgmock-dev         C++ tests
test   libcmocka-dev        C tests of the C ABI
test   abigail-tools        @abidiff  compares the ABI with the stored dump
test   libcapstone-dev      its names begin with cs_ too: it may share none with ours
test   freetds-dev          the same
test   python3              @python3  structure tests
test   clang-CLANG          thread-safety analysis, sanitizers, fuzzing
test   libclang-rt-CLANG-dev  ?  the sanitizers' and the fuzzer's runtime, where clang does not bring it
test   llvm-CLANG           llvm-symbolizer: names in a sanitizer's report
test   clang-format-16      ?  the format check: other versions lay some lines out otherwise
ROWS
}
FORMATTER=clang-format-16

is_installed() { # PACKAGE
  [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Has a version that could be installed: `apt-cache show` is content with a name that others mention.
is_offered() { # PACKAGE
  [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) == *"Candidate: "[^\(]* ]]
}

# The clang that the presets name, or the newest that this release has: Debian 12 has 16, other
# releases may not.
PREFERRED_CLANG=16
clang_version() {
  local version
  for version in "$PREFERRED_CLANG" 21 20 19 18 17 15 14; do
    if command -v "clang-$version" >/dev/null || is_offered "clang-$version"; then
      echo "$version"
      return
    fi
  done
  echo "$PREFERRED_CLANG"
}

# missing_packages GROUP...: the packages that are not there, one per line.
missing_packages() {
  local group package why rest clang
  clang=$(clang_version)
  while read -r group package why rest; do
    [[ " $* " == *" $group "* ]] || continue
    package=${package/CLANG/$clang}
    if [[ $why == @* ]] && command -v "${why#@}" >/dev/null; then continue; fi
    if [[ $why == '?' ]] && ! is_offered "$package"; then continue; fi
    is_installed "$package" || echo "$package"
  done < <(package_table)
}

# as_root COMMAND...: runs it as root, or fails where that would need a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

# ensure_promtool: the program, out of its package (Debian 12 has it in that of prometheus), in
# $BUILD_DIR/tools and on the path. Not installed: that would start a service. Without it one test
# skips, and says so.
ensure_promtool() {
  local tools=$BUILD_DIR/tools package=prometheus
  export PATH=$PATH:$tools
  command -v promtool >/dev/null && return
  command -v apt-get >/dev/null || return 0
  if is_offered promtool; then package=promtool; fi
  mkdir -p "$tools/unpacked"
  (
    cd "$tools/unpacked" && apt-get -qq download "$package" && dpkg-deb -x "$package"_*.deb . &&
      mv usr/bin/promtool "$tools/promtool"
  ) >"$tools/promtool.log" 2>&1 ||
    echo "packages: promtool could not be taken out of the package $package ($tools/promtool.log)"
  rm -rf "$tools/unpacked"
}

# Servers that tests need and Debian does not have: built from the Go module proxy, by any Go that can
# fetch the Go which they ask for.
can_build_with_go() {
  go version 2>/dev/null | grep -qE 'go1\.(2[1-9]|[3-9][0-9])'
}

# ensure_built_with_go PROGRAM PACKAGE@VERSION: the program, built once into $BUILD_DIR/tools, and on
# the path.
ensure_built_with_go() {
  local tools=$BUILD_DIR/tools program=$1 made code=0
  export PATH=$PATH:$tools
  command -v "$program" >/dev/null && return
  made=${2%@*}
  mkdir -p "$tools/go"
  GOBIN=$tools/go GOPATH=$tools/go GOCACHE=$tools/go/cache GOFLAGS=-modcacherw \
    go install -ldflags='-s -w' "$2" && mv "$tools/go/${made##*/}" "$tools/$program" || code=$?
  rm -rf "$tools/go"
  return $code
}

# What makes a network bad; about a minute to build.
ensure_toxiproxy() {
  ensure_built_with_go toxiproxy-server github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0
}

# A second S3 server; two minutes and more.
ensure_versitygw() {
  ensure_built_with_go versitygw github.com/versity/versitygw/cmd/versitygw@v1.7.0
}

# ensure_packages GROUP...: installs what is missing; exits with one line where it cannot.
ensure_packages() {
  local missing log=$BUILD_DIR/logs/packages.log
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    echo "packages: this is neither Debian nor Ubuntu; tests/lib/packages.sh names what is needed"
    return
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  if [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; then
    echo "packages are missing, and installing them needs root:" \
      "apt-get install $(echo "$missing" | tr '\n' ' ')" >&2
    exit 1
  fi
  mkdir -p "$BUILD_DIR/logs"
  : >"$log"
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
  if ! as_root "${apt[@]}" update >>"$log" 2>&1; then
    echo "packages: apt-get update failed; going on with the package lists that are there" >&2
  fi
  missing=$(missing_packages "$@") # again: only now the newest clang is known
  echo "packages: installing $(echo "$missing" | tr '\n' ' ')"
  # shellcheck disable=SC2086 # one word per package
  if ! as_root "${apt[@]}" install -y --no-install-recommends $missing >>"$log" 2>&1; then
    echo "packages: apt-get install failed: $(grep '^E:' "$log" | head -1) (all of it: $log)" >&2
    exit 1
  fi
}
