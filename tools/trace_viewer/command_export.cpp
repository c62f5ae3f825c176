/// `muster-trace export`: the trace in formats of others.
#include "export.hpp"

#include "text.hpp"

namespace muster::trace_viewer {

answer run_export(const trace_model& model, const request& what, std::string_view to, output& out) {
  const paths where{model};
  if (to == "perfetto") {
    write_perfetto(model, where, out);
  } else if (to == "chrome") {
    write_chrome(model, where, out);
  } else if (to == "otlp") {
    write_otlp(model, where, out);
  } else if (to == "dot") {
    auto tree = what;
    tree.json = false;
    tree.format = "dot";
    return run_tree(model, tree, out);
  } else {
    return std::unexpected{fmt::format(
        "'{}' is no format that a trace can be exported to: perfetto, chrome, otlp and dot are", escaped(to))};
  }
  return 0;
}

} // namespace muster::trace_viewer
