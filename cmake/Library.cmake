# The objects, compiled once, and the two libraries that are made of them.
file(GLOB CHAINSTORE_SOURCES CONFIGURE_DEPENDS
     ${PROJECT_SOURCE_DIR}/src/base/*.cc
     ${PROJECT_SOURCE_DIR}/src/core/*.cc
     ${PROJECT_SOURCE_DIR}/src/chain/*.cc
     ${PROJECT_SOURCE_DIR}/src/managers/*.cc
     ${PROJECT_SOURCE_DIR}/src/managers/*/*.cc
     ${PROJECT_SOURCE_DIR}/src/stores/*.cc
     ${PROJECT_SOURCE_DIR}/src/text/*.cc
     ${PROJECT_SOURCE_DIR}/src/capi/*.cc)
# Each engine that can be left out has a folder of its own.
if(CHAINSTORE_WITH_LMDB)
  file(GLOB LMDB_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/stores/lmdb/*.cc)
endif()
if(CHAINSTORE_WITH_LEVELDB)
  file(GLOB LEVELDB_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/stores/leveldb/*.cc)
endif()
if(CHAINSTORE_WITH_S3)
  file(GLOB S3_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/stores/s3/*.cc)
endif()
file(GLOB FILESYSTEM_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/stores/filesystem/*.cc)
file(GLOB MEMORY_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/stores/memory/*.cc)

add_library(chainstore_objects OBJECT
            ${CHAINSTORE_SOURCES} ${MEMORY_SOURCES} ${FILESYSTEM_SOURCES} ${LMDB_SOURCES}
            ${LEVELDB_SOURCES} ${S3_SOURCES})
set(CHAINSTORE_DEFINITIONS
    $<$<BOOL:${CHAINSTORE_WITH_LMDB}>:CHAINSTORE_WITH_LMDB>
    $<$<BOOL:${CHAINSTORE_WITH_LEVELDB}>:CHAINSTORE_WITH_LEVELDB>
    $<$<BOOL:${CHAINSTORE_WITH_S3}>:CHAINSTORE_WITH_S3>)
# What is linked with; cmake/Install.cmake names the same for the static library's users.
set(CHAINSTORE_LIBRARIES Threads::Threads PkgConfig::ISAL PkgConfig::CRYPTO)
if(CHAINSTORE_WITH_LMDB)
  list(APPEND CHAINSTORE_LIBRARIES PkgConfig::LMDB)
endif()
if(CHAINSTORE_WITH_S3)
  list(APPEND CHAINSTORE_LIBRARIES PkgConfig::CURL PkgConfig::EXPAT)
endif()
if(CHAINSTORE_WITH_LEVELDB)
  list(APPEND CHAINSTORE_LIBRARIES leveldb::leveldb)
endif()

target_include_directories(
  chainstore_objects PUBLIC ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                            ${XXHASH_INCLUDE_DIRS})
# It says first which functions of OpenSSL it may use.
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/stores/s3/digest.cc PROPERTIES
                            SKIP_UNITY_BUILD_INCLUSION ON)
set_target_properties(chainstore_objects PROPERTIES UNITY_BUILD ${CHAINSTORE_UNITY})
target_compile_definitions(chainstore_objects PUBLIC ${CHAINSTORE_DEFINITIONS})
set_target_properties(chainstore_objects PROPERTIES CXX_VISIBILITY_PRESET hidden
                                                    VISIBILITY_INLINES_HIDDEN ON)
target_link_libraries(chainstore_objects PUBLIC chainstore_build_flags ${CHAINSTORE_LIBRARIES})

# Both libraries are called chainstore on disk; as targets chainstore::chainstore and ::static,
# here as in the installed package.
add_library(chainstore SHARED $<TARGET_OBJECTS:chainstore_objects>)
add_library(chainstore::chainstore ALIAS chainstore)
set(CHAINSTORE_EXPORTS ${PROJECT_SOURCE_DIR}/src/capi/chainstore.map)
# nodelete: threads of the library may outlive a dlclose, so its code must stay.
target_link_options(
  chainstore PRIVATE -Wl,--version-script=${CHAINSTORE_EXPORTS} -Wl,-z,nodelete -Wl,-z,relro
                     -Wl,-z,now -Wl,--as-needed)
if(NOT CHAINSTORE_SANITIZE)  # clang leaves the sanitizer's own symbols to the executable
  target_link_options(chainstore PRIVATE -Wl,-z,defs)
endif()
set_target_properties(chainstore PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
                                            LINK_DEPENDS ${CHAINSTORE_EXPORTS})

add_library(chainstore_static STATIC $<TARGET_OBJECTS:chainstore_objects>)
add_library(chainstore::static ALIAS chainstore_static)
set_target_properties(chainstore_static PROPERTIES OUTPUT_NAME chainstore EXPORT_NAME static)

foreach(library chainstore chainstore_static)
  target_include_directories(
    ${library} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                      $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${library} PRIVATE ${CHAINSTORE_LIBRARIES})
endforeach()
# A program in C is linked by the C compiler, which does not know what C++ code needs.
target_compile_definitions(chainstore_static INTERFACE CS_STATIC)
target_link_libraries(chainstore_static INTERFACE $<$<LINK_LANGUAGE:C>:stdc++>)
