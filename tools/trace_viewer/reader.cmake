# The reader of traces: a small static library, muster_trace_reader. It takes the names of events and of the trace folders
# from the library that records.
add_library(muster_trace_reader STATIC
  "${CMAKE_CURRENT_LIST_DIR}/assemble.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/reader.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/reader_processes.cpp"
  "${CMAKE_CURRENT_LIST_DIR}/trace_file.cpp")
target_include_directories(muster_trace_reader PUBLIC "${CMAKE_CURRENT_LIST_DIR}" PRIVATE "${PROJECT_SOURCE_DIR}/runtime/src")
target_link_libraries(muster_trace_reader PUBLIC muster_static fmt::fmt)
