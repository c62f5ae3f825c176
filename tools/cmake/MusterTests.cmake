# muster_discover_tests(<target> LABEL <label> TIMEOUT <seconds> [PROCESSORS <n>])
#
# Registers one CTest test for each test case of a Catch2 program (2 or 3), named "<label>: <name of the test case>".
# The program is asked for its test cases when it has been linked, by this same file run as a script. Catch2 ships such
# a function too; this one also stands names with commas, brackets and semicolons, and a test that is not found when it
# is to be run fails.

if(CMAKE_SCRIPT_MODE_FILE)
  # Script: PROGRAM, OUTPUT, LABEL, TIMEOUT, PROCESSORS, CATCH_MAJOR are given.
  if(CATCH_MAJOR LESS 3)
    set(list_arguments --list-test-names-only)
    set(run_arguments "-w NoTests")
  else()
    set(list_arguments --list-tests --verbosity quiet)
    set(run_arguments "")
  endif()
  execute_process(COMMAND "${PROGRAM}" "~[.]" ${list_arguments}
    OUTPUT_VARIABLE names ERROR_VARIABLE errors RESULT_VARIABLE code)
  # Catch2 2 returns the number of test cases, so the code says little; a crash is a word.
  if(NOT code MATCHES "^[0-9]+$" OR names STREQUAL "")
    message(FATAL_ERROR "${PROGRAM} did not list its test cases (${code}).\n${names}\n${errors}")
  endif()

  # Line by line and without CMake lists, whose separators and brackets may occur in a name.
  set(text "")
  while(NOT names STREQUAL "")
    string(FIND "${names}" "\n" end)
    if(end EQUAL -1)
      set(name "${names}")
      set(names "")
    else()
      string(SUBSTRING "${names}" 0 ${end} name)
      math(EXPR end "${end} + 1")
      string(SUBSTRING "${names}" ${end} -1 names)
    endif()
    if(name STREQUAL "")
      continue()
    endif()
    # Catch2 2 lists a name that begins with # in quotes.
    if(name MATCHES "^\"(#.*)\"$")
      set(name "${CMAKE_MATCH_1}")
    endif()
    # In quotes, only these have a meaning in a test specification.
    string(REGEX REPLACE "([\\,\"])" "\\\\\\1" specification "${name}")
    # A bracket argument whose end does not occur in the name.
    set(fence "=")
    while(name MATCHES "\\]${fence}(\\]|$)" OR specification MATCHES "\\]${fence}(\\]|$)")
      string(APPEND fence "=")
    endwhile()
    set(open "[${fence}[")
    set(close "]${fence}]")
    string(APPEND text
      "add_test(${open}${LABEL}: ${name}${close} ${open}${PROGRAM}${close} ${open}\"${specification}\"${close}"
      " ${run_arguments})\n"
      "set_tests_properties(${open}${LABEL}: ${name}${close} PROPERTIES"
      " LABELS ${open}${LABEL}${close} TIMEOUT ${TIMEOUT} PROCESSORS ${PROCESSORS})\n")
  endwhile()
  file(WRITE "${OUTPUT}" "${text}")
  return()
endif()

set(MUSTER_TESTS_SCRIPT "${CMAKE_CURRENT_LIST_FILE}")

function(muster_discover_tests target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "LABEL;TIMEOUT;PROCESSORS" "")
  if(NOT arg_PROCESSORS)
    set(arg_PROCESSORS 1)
  endif()
  set(found "${CMAKE_CURRENT_BINARY_DIR}/${target}-cases.cmake")
  set(entry "${CMAKE_CURRENT_BINARY_DIR}/${target}-tests.cmake")
  string(REGEX MATCH "^[0-9]+" catch_major "${Catch2_VERSION}")
  add_custom_command(TARGET ${target} POST_BUILD
    BYPRODUCTS "${found}"
    COMMAND "${CMAKE_COMMAND}"
      "-DPROGRAM=$<TARGET_FILE:${target}>" "-DOUTPUT=${found}" "-DLABEL=${arg_LABEL}" "-DTIMEOUT=${arg_TIMEOUT}"
      "-DPROCESSORS=${arg_PROCESSORS}" "-DCATCH_MAJOR=${catch_major}"
      -P "${MUSTER_TESTS_SCRIPT}"
    COMMENT ""
    VERBATIM)
  set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS "${MUSTER_TESTS_SCRIPT}")
  file(WRITE "${entry}"
    "if(EXISTS [===[${found}]===])\n"
    "  include([===[${found}]===])\n"
    "else()\n"
    "  add_test([===[${arg_LABEL}: ${target} has not been built]===] false)\n"
    "endif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES "${entry}")
endfunction()
