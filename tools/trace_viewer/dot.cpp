/// Writing the tree for Graphviz.
#include "dot.hpp"

#include "text.hpp"

#include <unordered_set>

namespace muster::trace_viewer {

namespace {

/// In quotes. The text is escaped already; in a label a backslash is doubled once more, since dot reads \n, \N and
/// others.
[[nodiscard]] std::string in_quotes(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\';
    out += c;
  }
  return out + "\"";
}

[[nodiscard]] std::string_view colour_of(state s) {
  switch (s) {
    case state::ok:
      return "palegreen3";
    case state::failed:
    case state::down:
      return "tomato";
    case state::timed_out:
      return "orange";
    case state::cancelled:
    case state::skipped:
      return "khaki";
    case state::suspended:
    case state::running:
    case state::open:
    case state::held:
      return "lightskyblue";
    default:
      return "lightgray";
  }
}

[[nodiscard]] std::string_view shape_of(node_kind kind) {
  switch (kind) {
    case node_kind::manager:
      return "house";
    case node_kind::scope:
      return "folder";
    case node_kind::actor:
      return "component";
    case node_kind::resource:
    case node_kind::pool:
      return "cylinder";
    default:
      return "box";
  }
}

} // namespace

void write_dot(const trace_model& model, const paths& where, const std::vector<tree_row>& rows, std::int64_t at,
               output& out) {
  out.write("digraph muster {\n  rankdir=LR;\n  node [style=filled, fontname=\"sans-serif\"];\n");
  std::unordered_set<node_index> shown;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& row = rows[i];
    const bool folded = row.node == none_found;
    const auto name = folded ? fmt::format("fold{}", i) : fmt::format("n{}", row.node);
    const auto s = folded ? state::unknown : model.state_at(row.node, at);
    const auto label = folded ? fmt::format("{} ×{}: {}", row.stem, count_text(row.states.sum()), row.states.text())
                              : fmt::format("{}: {}", where.component(row.node), to_string(s));
    out.print("  {} [label={}, shape={}, fillcolor={}];\n", name, in_quotes(fitted(label, 200)),
              shape_of(folded ? row.kind : model.at(row.node).kind), colour_of(s));
    if (row.depth > 0 && row.parent != none_found)
      out.print("  n{} -> {};\n", row.parent, name);
    if (!folded)
      shown.insert(row.node);
  }
  for (const auto& row : rows) {
    if (row.node == none_found)
      continue;
    for (const auto other : model.dependencies(row.node))
      if (shown.contains(other))
        out.print("  n{} -> n{} [style=dashed, label=after];\n", row.node, other);
    if (const auto* w = model.waiting_at(row.node, at); w != nullptr && shown.contains(w->target))
      out.print("  n{} -> n{} [style=dotted, label=\"waits for\"];\n", row.node, w->target);
  }
  out.write("}\n");
}

} // namespace muster::trace_viewer
