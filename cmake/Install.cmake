# cmake --install: the header, both libraries, chainstore.pc and the CMake package. Everything is
# found relative to where it lies, so that any prefix (--prefix, DESTDIR) will do.
include(CMakePackageConfigHelpers)

install(FILES ${PROJECT_SOURCE_DIR}/include/chainstore.h
        DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS chainstore EXPORT chainstoreTargets)
install(TARGETS chainstore_static EXPORT chainstoreStaticTargets)

# ---- CMake package ----
set(CHAINSTORE_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/chainstore)
set(CHAINSTORE_PKG_MODULES libisal libcrypto)
set(CHAINSTORE_CMAKE_PACKAGES "")
set(CHAINSTORE_PC_LIBS "")
if(CHAINSTORE_WITH_LMDB)
  list(APPEND CHAINSTORE_PKG_MODULES lmdb)
endif()
if(CHAINSTORE_WITH_S3)
  list(APPEND CHAINSTORE_PKG_MODULES libcurl expat)
endif()
if(CHAINSTORE_WITH_LEVELDB)
  list(APPEND CHAINSTORE_CMAKE_PACKAGES leveldb)
  string(APPEND CHAINSTORE_PC_LIBS "-lleveldb ")  # it has no .pc
endif()
string(APPEND CHAINSTORE_PC_LIBS "-lstdc++ -pthread")

configure_package_config_file(
  ${PROJECT_SOURCE_DIR}/pkgconfig/chainstoreConfig.cmake.in
  ${PROJECT_BINARY_DIR}/pkgconfig/chainstoreConfig.cmake
  INSTALL_DESTINATION ${CHAINSTORE_CMAKE_DIR} NO_SET_AND_CHECK_MACRO)
# Before 1.0 a new minor version may change the ABI.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/pkgconfig/chainstoreConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/chainstoreConfig.cmake
              ${PROJECT_BINARY_DIR}/pkgconfig/chainstoreConfigVersion.cmake
        DESTINATION ${CHAINSTORE_CMAKE_DIR})
foreach(export chainstoreTargets chainstoreStaticTargets)
  install(EXPORT ${export} NAMESPACE chainstore:: DESTINATION ${CHAINSTORE_CMAKE_DIR})
endforeach()

# ---- chainstore.pc ----
# By its library, not its .pc: that one's static half asks for everything that a static libcurl
# needs, and this one is shared.
if(CHAINSTORE_WITH_S3)
  string(PREPEND CHAINSTORE_PC_LIBS "-lcurl ")
endif()
string(REPLACE ";" " " CHAINSTORE_PC_REQUIRES "${CHAINSTORE_PKG_MODULES}")
string(REPLACE "libcurl " "" CHAINSTORE_PC_REQUIRES "${CHAINSTORE_PC_REQUIRES}")
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR} OR IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(CHAINSTORE_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
  set(CHAINSTORE_PC_INCLUDEDIR ${CMAKE_INSTALL_FULL_INCLUDEDIR})
  set(CHAINSTORE_PC_LIBDIR ${CMAKE_INSTALL_FULL_LIBDIR})
else()
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up ${up})
  set(CHAINSTORE_PC_PREFIX "\${pcfiledir}/${up}")
  set(CHAINSTORE_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
  set(CHAINSTORE_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
configure_file(${PROJECT_SOURCE_DIR}/pkgconfig/chainstore.pc.in
               ${PROJECT_BINARY_DIR}/pkgconfig/chainstore.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/chainstore.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
