# cmake -DCOMPILER=… -DSOURCE=… -DINCLUDES=a:b -DKIND=… -DSENTENCE=… -P expect_refusal.cmake
# The compiler must refuse the source with KIND defined, and say a sentence with that part in it. Without KIND it must
# accept it.
string(REPLACE ":" ";" folders "${INCLUDES}")
list(TRANSFORM folders PREPEND "-I")
if(KIND)
  set(define "-D${KIND}")
endif()
execute_process(COMMAND "${COMPILER}" -std=c++23 -fsyntax-only ${folders} ${define} "${SOURCE}"
  RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE err)
if(NOT KIND)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "without misuse it should compile:\n${err}")
  endif()
  return()
endif()
if(code EQUAL 0)
  message(FATAL_ERROR "${KIND} should have been refused, but it compiles")
endif()
string(FIND "${err}" "${SENTENCE}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${KIND} was refused with something else than '${SENTENCE}':\n${err}")
endif()
