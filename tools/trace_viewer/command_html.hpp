/// `muster-trace html`: the trace as a page. Built when the page is (MUSTER_TRACE_PAGE).
#pragma once

#include "command.hpp"
#include "page_writer.hpp"

#include <sstream>

namespace muster::trace_viewer {

inline answer run_html(const trace_model& model, const request&, output& out) {
  std::ostringstream page;
  write_page(model.data(), page);
  out.write(page.view());
  return 0;
}

} // namespace muster::trace_viewer
