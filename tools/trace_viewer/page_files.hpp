/// The page's own files, as they stand in page/, packed into the library by page.cmake.
#pragma once

#include <span>
#include <string_view>

namespace muster::trace_viewer::page_files {

extern const std::string_view frame;                    ///< index.html, with places for the others
extern const std::span<const std::string_view> styles;  ///< page/*.css, by name
extern const std::span<const std::string_view> scripts; ///< page/*.js, in the order in which index.html lists them

} // namespace muster::trace_viewer::page_files
