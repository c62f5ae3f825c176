# The reader of traces: a small static library, muster_trace_reader. It takes the names of events and of the trace folders
# from the library that records.
add_library(muster_trace_reader STATIC
  "${CMAKE_CURRENT_LIST_DIR}/assemble.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/printable.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/reader.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/reader_processes.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/trace_file.cpp")
target_include_directories(muster_trace_reader PUBLIC "${CMAKE_CURRENT_LIST_DIR}" PRIVATE "${PROJECT_SOURCE_DIR}/runtime/src")
target_link_libraries(muster_trace_reader PUBLIC muster::muster fmt::fmt)

option(MUSTER_FUZZ "Build muster-trace-fuzz, a libFuzzer target for the reader (needs Clang)" OFF)
if(MUSTER_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "MUSTER_FUZZ needs Clang: libFuzzer is part of it. Set CMAKE_CXX_COMPILER to clang++.")
  endif()
  add_executable(muster-trace-fuzz "${CMAKE_CURRENT_LIST_DIR}/fuzz/reader_fuzz.cpp")
  target_link_libraries(muster-trace-fuzz PRIVATE muster_trace_reader)
  target_compile_options(muster_trace_reader PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
  target_compile_options(muster-trace-fuzz PRIVATE -fsanitize=fuzzer,address,undefined)
  target_link_options(muster-trace-fuzz PRIVATE -fsanitize=fuzzer,address,undefined)
endif()
