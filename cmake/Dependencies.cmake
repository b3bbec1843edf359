# Every library that chainstore is built with. Each is in Debian stable; the packages are named in
# tests/lib/packages.sh, next to the tools that the tests need.
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)      # CRC32C
pkg_check_modules(XXHASH REQUIRED libxxhash)                  # hash tables; only its header
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)  # SHA-256 of keys
if(CHAINSTORE_WITH_LMDB)
  pkg_check_modules(LMDB REQUIRED IMPORTED_TARGET lmdb)
endif()
if(CHAINSTORE_WITH_LEVELDB)
  find_package(leveldb REQUIRED)
endif()
if(CHAINSTORE_WITH_S3)
  pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
  pkg_check_modules(EXPAT REQUIRED IMPORTED_TARGET expat)  # the server's XML
endif()
