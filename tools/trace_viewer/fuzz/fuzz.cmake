# muster-trace-fuzz: libFuzzer on the reader, and on what the commands and exports make of what was read.
#
#   cmake --preset debug -B build/fuzz -DMUSTER_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++-19
#   cmake --build build/fuzz --target muster-trace-fuzz
#   build/fuzz/bin/muster-trace-fuzz corpus    (a folder with a few real traces in it, as `manager::write_trace` makes)
option(MUSTER_FUZZ "Build muster-trace-fuzz, a libFuzzer target for the trace viewer (needs Clang)" OFF)
if(NOT MUSTER_FUZZ)
  return()
endif()

include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_FLAGS "-fsanitize=fuzzer,address,undefined")
check_cxx_source_compiles(
  "#include <cstddef>\n#include <cstdint>\nextern \"C\" int LLVMFuzzerTestOneInput(const std::uint8_t*, std::size_t) { return 0; }"
  MUSTER_HAS_LIBFUZZER)
unset(CMAKE_REQUIRED_FLAGS)
if(NOT MUSTER_HAS_LIBFUZZER)
  message(FATAL_ERROR "MUSTER_FUZZ needs libFuzzer, and ${CMAKE_CXX_COMPILER} has none. On Debian it comes with Clang: "
    "install clang-19 and libclang-rt-19-dev, and configure a fresh folder with -DCMAKE_CXX_COMPILER=clang++-19.")
endif()

add_executable(muster-trace-fuzz "${CMAKE_CURRENT_LIST_DIR}/reader_fuzz.cpp")
target_link_libraries(muster-trace-fuzz PRIVATE muster_trace_model muster_trace_reader)
foreach(part IN ITEMS muster_trace_model muster_trace_reader)
  target_compile_options(${part} PRIVATE -fsanitize=fuzzer-no-link,address,undefined)
endforeach()
target_compile_options(muster-trace-fuzz PRIVATE -fsanitize=fuzzer,address,undefined)
target_link_options(muster-trace-fuzz PRIVATE -fsanitize=fuzzer,address,undefined)
