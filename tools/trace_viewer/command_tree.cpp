/// `muster-trace tree`: the supervision tree as it was at a moment, as text, JSON or for Graphviz.
#include "command.hpp"
#include "dot.hpp"
#include "paths.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

namespace muster::trace_viewer {

namespace {

/// What is said behind a node: duration, restarts, what it waits for, its error.
struct details {
  std::int64_t lasted = unset;
  std::uint32_t restarts = 0;
  const wait* waiting = nullptr;
  std::string waits_for;
  std::int64_t waiting_for_ns = 0;
  std::string error;
  bool unresponsive = false;
};

[[nodiscard]] details details_of(const trace_model& model, const paths& where, node_index n, std::int64_t at) {
  details d;
  const auto& it = model.at(n);
  const auto s = model.state_at(n, at);
  d.lasted = model.duration_at(n, at);
  d.restarts = model.restarts_at(n, at);
  d.unresponsive = it.unresponsive;
  if (has_ended(s) && s != state::ok && it.end_event != none_found)
    d.error = escaped(model.text(model.event_at(it.end_event).text));
  if (has_ended(s))
    return d;
  if ((d.waiting = model.waiting_at(n, at)) != nullptr) {
    d.waits_for = d.waiting->target != none_found ? where.with_kind(d.waiting->target)
                                                  : escaped(model.text(model.event_at(d.waiting->began).text));
    d.waiting_for_ns = std::min(at, model.end_ns()) - model.event_at(d.waiting->began).time_ns;
  } else if (s == state::waiting) {
    for (const auto other : model.dependencies(n))
      if (!has_ended(model.state_at(other, at)))
        d.waits_for += (d.waits_for.empty() ? "" : ", ") + where.with_kind(other);
    if (!d.waits_for.empty() && it.created != unset)
      d.waiting_for_ns = std::min(at, model.end_ns()) - it.created;
  }
  return d;
}

[[nodiscard]] std::string text_of(const request& what, const trace_model& model, const paths& where, node_index n,
                                  std::int64_t at) {
  const auto d = details_of(model, where, n, at);
  const auto s = model.state_at(n, at);
  auto text = fmt::format("{} {}  {}", to_string(model.at(n).kind), paint(what, tone::strong, where.component(n)),
                          paint(what, tone_of(s), to_string(s)));
  if (d.lasted != unset)
    text += "  " + duration_text(d.lasted);
  if (d.restarts > 0)
    text += fmt::format("  restarted {}", d.restarts == 1 ? "once" : counted(d.restarts, "time"));
  if (d.unresponsive)
    text += "  " + paint(what, tone::bad, "unresponsive");
  if (!d.waits_for.empty())
    text += fmt::format("  waits for {} since {}", d.waits_for, duration_text(d.waiting_for_ns));
  if (!d.error.empty())
    text += fmt::format("  {}", paint(what, tone::dim, d.error));
  return text;
}

[[nodiscard]] std::string text_of(const request& what, const paths& where, const tree_row& row) {
  auto text = fmt::format("{} {}  {}", to_string(row.kind),
                          paint(what, tone::strong, fmt::format("{} ×{}", row.stem, count_text(row.states.sum()))),
                          row.states.text());
  if (row.from_snapshot)
    text += "  when this trace begins";
  if (row.below > 0)
    text += fmt::format("  with {} below", count_text(row.below));
  if (row.example != none_found)
    text += fmt::format("  the first that went wrong: {}", where.component(row.example));
  return text;
}

void as_text(const trace_model& model, const request& what, const paths& where, const std::vector<tree_row>& rows,
             std::int64_t at, output& out) {
  std::string before; // for each depth whether a line goes on, as drawn
  std::vector<std::size_t> ends;
  for (const auto& row : rows) {
    ends.resize(std::min(ends.size(), row.depth));
    before.resize(ends.empty() ? 0 : ends.back());
    const auto branch = row.depth == 0 ? "" : row.last ? "└─ " : "├─ ";
    line(out, what,
         before + branch +
             (row.node != none_found ? text_of(what, model, where, row.node, at) : text_of(what, where, row)));
    if (row.depth > 0)
      before += row.last ? "   " : "│  ";
    ends.push_back(before.size());
  }
  if (rows.empty())
    out.write(model.nodes().empty() ? "the trace is empty\n"
              : what.failed         ? "nothing failed\n"
                                    : "nothing was there at that moment\n");
  if (const auto lost = losses(model); !lost.empty())
    line(out, what, paint(what, tone::dim, lost));
}

[[nodiscard]] json as_json(const trace_model& model, const paths& where, const tree_row& row, std::int64_t at) {
  json it;
  if (row.node == none_found) {
    it = {{"kind", to_string(row.kind)}, {"name", row.stem}, {"count", row.states.sum()}, {"depth", row.depth}};
    for (std::size_t s = 0; s < row.states.of.size(); ++s)
      if (row.states.of[s] != 0)
        it["states"][std::string{to_string(static_cast<state>(s))}] = row.states.of[s];
    it["below"] = row.below;
    if (row.from_snapshot)
      it["from_snapshot"] = true;
    if (row.example != none_found)
      it["example"] = where.text(row.example);
    return it;
  }
  const auto& n = model.at(row.node);
  const auto d = details_of(model, where, row.node, at);
  it = {{"kind", to_string(n.kind)},
        {"name", std::string{model.text(n.name)}},
        {"path", where.text(row.node)},
        {"id", n.id},
        {"depth", row.depth},
        {"state", to_string(model.state_at(row.node, at))}};
  if (d.lasted != unset)
    it["duration_ns"] = d.lasted;
  if (d.restarts > 0)
    it["restarts"] = d.restarts;
  if (d.unresponsive)
    it["unresponsive"] = true;
  if (!d.waits_for.empty()) {
    it["waits_for"] = d.waits_for;
    it["waiting_ns"] = d.waiting_for_ns;
  }
  if (!d.error.empty())
    it["error"] = d.error;
  return it;
}

} // namespace

answer run_tree(const trace_model& model, const request& what, output& out) {
  const auto at = moment_of(model, what);
  if (!at)
    return std::unexpected{at.error()};
  const paths where{model};
  tree_options options{.at = *at, .failed = what.failed, .all = what.all};
  if (!what.path.empty()) {
    const auto root = where.resolve(what.path);
    if (!root)
      return std::unexpected{root.error()};
    options.root = *root;
  }
  const auto rows = tree_rows(model, options);
  const auto format = what.json ? std::string{"json"} : what.format;
  if (format == "text") {
    as_text(model, what, where, rows, *at, out);
  } else if (format == "json") {
    json all{{"at_ns", *at}, {"since_begin_ns", model.since_begin(*at)}, {"nodes", json::array()}};
    for (const auto& row : rows)
      all["nodes"].push_back(as_json(model, where, row, *at));
    out.write(dump(all) + "\n");
  } else if (format == "dot") {
    write_dot(model, where, rows, *at, out);
  } else {
    return std::unexpected{fmt::format("'{}' is no format of a tree: text, json and dot are", escaped(format))};
  }
  return 0;
}

} // namespace muster::trace_viewer
