# ccache where it is installed, with its files below the build folder, unless the caller chose a
# launcher or a CCACHE_DIR of his own.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  # Precompiled headers are cached only if ccache may disregard what is in them but not in a source.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE_PROGRAM})
  if(NOT DEFINED ENV{CCACHE_DIR})
    list(INSERT launcher 3 CCACHE_DIR=${PROJECT_SOURCE_DIR}/build/ccache CCACHE_NOHASHDIR=1)
  endif()
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
