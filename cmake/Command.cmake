# The command `chainstore`, its manual page and its completion. It is built on the public header and
# the shared library alone, as any user's program.
option(CHAINSTORE_COMMAND "The command chainstore" ON)
if(NOT CHAINSTORE_COMMAND)
  return()
endif()

file(GLOB COMMAND_SOURCES CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/cli/*.cc)
add_executable(chainstore_command ${COMMAND_SOURCES})
set_target_properties(chainstore_command PROPERTIES OUTPUT_NAME chainstore)
# Its own headers by their path below src; the library's are not for it (tests/structure checks it).
target_include_directories(chainstore_command PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(chainstore_command PRIVATE chainstore::chainstore chainstore_build_flags
                                                 Threads::Threads)
# Beside the library wherever the prefix is moved to.
file(RELATIVE_PATH library_from_bin ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
set_target_properties(chainstore_command PROPERTIES INSTALL_RPATH "$ORIGIN/${library_from_bin}")

install(TARGETS chainstore_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/src/cli/chainstore.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_SOURCE_DIR}/src/cli/completion.bash
        DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME chainstore)
