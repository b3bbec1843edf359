# One place for the compiler's strictness and the sanitizers.
add_library(chainstore_build_flags INTERFACE)
target_compile_options(chainstore_build_flags INTERFACE -Wall -Wextra -Wpedantic)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  target_compile_options(chainstore_build_flags INTERFACE -Wthread-safety)
endif()
if(CHAINSTORE_WERROR)
  target_compile_options(chainstore_build_flags INTERFACE -Werror)
endif()
if(CHAINSTORE_SANITIZE)  # for everything that is linked together, C programs included
  # Without no-sanitize-recover a finding of the undefined-behaviour sanitizer fails no test.
  add_compile_options(-fsanitize=${CHAINSTORE_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${CHAINSTORE_SANITIZE})
endif()
