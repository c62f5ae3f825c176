# cmake -DPROGRAM=… -DKIND=… -DSENTENCE=… -P expect_assertion.cmake
# The program must abort, and say a sentence with that part in it.
execute_process(COMMAND "${PROGRAM}" "${KIND}" RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err TIMEOUT 60)
if(NOT code MATCHES "[Aa]bort")
  message(FATAL_ERROR "${KIND} should have been aborted, but: ${code}\n${out}${err}")
endif()
string(FIND "${err}" "${SENTENCE}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${KIND} said something else than '${SENTENCE}':\n${err}")
endif()
