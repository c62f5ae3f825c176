/// The tree for Graphviz.
#pragma once

#include "command.hpp"
#include "paths.hpp"
#include "tree_rows.hpp"

namespace muster::trace_viewer {

/// Writes one directed graph: solid lines from parents to children, dashed ones from a task to what it depends on,
/// dotted ones from whoever waits at `at` to what is waited for. Whatever the names hold, it can be read by dot.
void write_dot(const trace_model& model, const paths& where, const std::vector<tree_row>& rows, std::int64_t at,
               output& out);

} // namespace muster::trace_viewer
