# Runs PROGRAM; it must succeed, and print exactly what the file EXPECTED holds, if there is such a file.
# Used as a test: cmake -DPROGRAM=… -DEXPECTED=… -P RunAndCompare.cmake

execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE output ERROR_VARIABLE errors RESULT_VARIABLE code)
if(NOT code STREQUAL "0")
  message(FATAL_ERROR "${PROGRAM} ended with ${code}.\n${output}\n${errors}")
endif()
if(EXISTS "${EXPECTED}")
  file(READ "${EXPECTED}" expected)
  if(NOT output STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} did not print what ${EXPECTED} says. It printed:\n${output}")
  endif()
endif()
