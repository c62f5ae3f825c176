# The page: packs page/ into a library, `muster_trace_page`, that writes traces as HTML.
#
# The order of the scripts is the order of the `@script` lines in page/index.html. Run as a script (OUTPUT, FOLDER
# given), this file does the packing.

function(muster_page_scripts folder result)
  file(STRINGS "${folder}/index.html" lines REGEX "@script ")
  list(TRANSFORM lines REPLACE ".*@script ([a-z_]+\\.js).*" "${folder}/\\1")
  set(${result} "${lines}" PARENT_SCOPE)
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
  # A list of string literals; the text has to be without the fence, which is checked.
  function(pack name)
    set(text "")
    set(names "")
    foreach(file IN LISTS ARGN)
      file(READ "${file}" content)
      string(FIND "${content}" ")~page~" at)
      if(NOT at EQUAL -1)
        message(FATAL_ERROR "${file} holds the text that ends a packed file")
      endif()
      # Compilers promise literals of 64 KiB, and no more.
      string(LENGTH "${content}" length)
      if(length GREATER 60000)
        message(FATAL_ERROR "${file} is too long for one string literal: split it")
      endif()
      string(APPEND text "  R\"~page~(${content})~page~\",\n")
    endforeach()
    file(APPEND "${OUTPUT}.new" "constexpr std::string_view ${name}_list[] = {\n${text}};\n")
  endfunction()

  muster_page_scripts("${FOLDER}" scripts)
  file(GLOB styles "${FOLDER}/*.css")
  file(WRITE "${OUTPUT}.new"
    "/// Made from page/ by page.cmake.\n#include \"page_files.hpp\"\n\n"
    "namespace muster::trace_viewer::page_files {\nnamespace {\n")
  pack(frame "${FOLDER}/index.html")
  pack(styles ${styles})
  pack(scripts ${scripts})
  file(APPEND "${OUTPUT}.new" "} // namespace\n"
    "const std::string_view frame = frame_list[0];\n"
    "const std::span<const std::string_view> styles{styles_list};\n"
    "const std::span<const std::string_view> scripts{scripts_list};\n"
    "} // namespace muster::trace_viewer::page_files\n")
  file(RENAME "${OUTPUT}.new" "${OUTPUT}")
  return()
endif()

find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)

set(page_folder "${CMAKE_CURRENT_LIST_DIR}/page")
file(GLOB page_parts CONFIGURE_DEPENDS "${page_folder}/*.css" "${page_folder}/*.js" "${page_folder}/*.html")
set(packed_page "${CMAKE_CURRENT_BINARY_DIR}/page_files.cpp")
add_custom_command(OUTPUT "${packed_page}"
  COMMAND "${CMAKE_COMMAND}" "-DOUTPUT=${packed_page}" "-DFOLDER=${page_folder}" -P "${CMAKE_CURRENT_LIST_FILE}"
  DEPENDS ${page_parts} "${CMAKE_CURRENT_LIST_FILE}"
  COMMENT "Packing the page of muster-trace"
  VERBATIM)

add_library(muster_trace_page STATIC
  "${CMAKE_CURRENT_LIST_DIR}/page_writer.cpp" "${CMAKE_CURRENT_LIST_DIR}/packed_stream.cpp" "${packed_page}")
target_include_directories(muster_trace_page PUBLIC "${CMAKE_CURRENT_LIST_DIR}")
target_link_libraries(muster_trace_page PUBLIC muster_static PRIVATE ZLIB::ZLIB nlohmann_json::nlohmann_json)
