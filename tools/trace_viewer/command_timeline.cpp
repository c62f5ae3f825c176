/// `muster-trace timeline`: a bar for each task, scope and actor over time, in text.
#include "command.hpp"
#include "paths.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

#include <algorithm>

namespace muster::trace_viewer {

namespace {

constexpr std::string_view bar_unborn = " ", bar_waiting = "·", bar_ready = "░", bar_waits = "▒", bar_runs = "█",
                           bar_open = "─", bar_stopping = "▓";

/// The time that is shown, and how it falls into columns.
struct frame {
  std::int64_t from;
  std::int64_t to;
  std::size_t columns;

  [[nodiscard]] std::int64_t moment(std::size_t column) const {
    const auto span = static_cast<double>(to - from);
    return from + static_cast<std::int64_t>(span * (static_cast<double>(column) + 0.5) / static_cast<double>(columns));
  }
  [[nodiscard]] std::size_t column(std::int64_t t) const {
    if (to <= from)
      return 0;
    const auto part = static_cast<double>(t - from) / static_cast<double>(to - from);
    return std::min(columns - 1, static_cast<std::size_t>(std::max(0.0, part * static_cast<double>(columns))));
  }
};

[[nodiscard]] std::string_view mark_of(state s) noexcept {
  switch (s) {
    case state::ok:
      return "✓";
    case state::failed:
      return "✗";
    case state::timed_out:
      return "T";
    case state::cancelled:
      return "C";
    case state::skipped:
      return "s";
    default:
      return "";
  }
}

[[nodiscard]] std::string bar_of(const trace_model& model, node_index n, const frame& in) {
  std::string bar;
  const auto& it = model.at(n);
  const auto ended = it.ended == unset ? SIZE_MAX : in.column(it.ended);
  // What is shorter than a column is still seen.
  const auto first = it.created == unset ? 0 : in.column(it.created);
  for (std::size_t c = 0; c < in.columns; ++c) {
    if (c == ended && !mark_of(it.last).empty()) {
      bar += mark_of(it.last);
      break;
    }
    const auto t = std::max(in.moment(c), c == first && it.created != unset ? it.created : INT64_MIN);
    if (c < first || t > model.end_ns()) {
      bar += bar_unborn;
      continue;
    }
    switch (model.state_at(n, t)) {
      case state::waiting:
      case state::down:
        bar += bar_waiting;
        break;
      case state::ready:
        bar += bar_ready;
        break;
      case state::suspended:
        bar += bar_waits;
        break;
      case state::running:
        bar += model.waiting_at(n, t) != nullptr ? bar_waits : it.kind == node_kind::task ? bar_runs : bar_open;
        break;
      case state::stopping:
      case state::releasing:
        bar += bar_stopping;
        break;
      case state::open:
      case state::held:
      case state::half_open:
        bar += bar_open;
        break;
      default:
        bar += bar_unborn;
    }
  }
  return bar;
}

} // namespace

answer run_timeline(const trace_model& model, const request& what, output& out) {
  const paths where{model};
  tree_options options{.at = model.end_ns(), .failed = what.failed, .all = what.all};
  if (!what.path.empty()) {
    const auto root = where.resolve(what.path);
    if (!root)
      return std::unexpected{root.error()};
    options.root = *root;
  }
  auto rows = tree_rows(model, options);
  frame in{.from = model.begin_ns(), .to = model.end_ns(), .columns = 20};
  if (options.root != none_found) {
    const auto& root = model.at(options.root);
    in.from = root.created != unset ? root.created : in.from;
    in.to = root.ended != unset ? root.ended : in.to;
  } else if (model.begins_in_the_middle() && !model.data().events.empty()) {
    in.from = std::max(in.from,
                       model.data().snapshot_ns != 0 ? model.data().snapshot_ns : model.data().events.front().time_ns);
  }

  if (what.json) {
    json all{{"from_ns", in.from}, {"to_ns", in.to}, {"bars", json::array()}};
    for (const auto& row : rows) {
      if (row.node == none_found) {
        all["bars"].push_back({{"name", row.stem}, {"count", row.states.sum()}, {"depth", row.depth}});
        continue;
      }
      const auto& n = model.at(row.node);
      json bar{{"path", where.text(row.node)},
               {"depth", row.depth},
               {"kind", to_string(n.kind)},
               {"state", to_string(n.last)}};
      const auto put = [&](const char* name, std::int64_t t) { t == unset ? void() : void(bar[name] = t); };
      put("created_ns", n.created);
      put("ready_ns", n.ready);
      put("started_ns", n.started);
      put("asked_ns", n.asked);
      put("ended_ns", n.ended);
      all["bars"].push_back(std::move(bar));
    }
    out.write(dump(all) + "\n");
    return 0;
  }

  if (rows.empty()) {
    out.write(model.nodes().empty() ? "the trace is empty\n" : "nothing to show\n");
    return 0;
  }
  const auto label = [&](const tree_row& row) {
    return std::string(row.depth, ' ') + (row.node != none_found
                                              ? where.component(row.node)
                                              : fmt::format("{} ×{}", row.stem, count_text(row.states.sum())));
  };
  std::size_t names = 0;
  for (const auto& row : rows)
    names = std::max(names, columns_of(label(row)));
  names = std::min(names, std::max<std::size_t>(12, what.width / 3));
  in.columns = std::max<std::size_t>(20, what.width > names + 2 ? what.width - names - 2 : 0);

  const auto begin = moment_text(model.since_begin(in.from));
  const auto end = moment_text(model.since_begin(in.to));
  const auto gap = in.columns > begin.size() + end.size() ? in.columns - begin.size() - end.size() : 1;
  line(out, what, paint(what, tone::dim, std::string(names + 1, ' ') + begin + std::string(gap, ' ') + end));
  for (const auto& row : rows) {
    const auto name = padded(label(row), names);
    if (row.node == none_found)
      line(out, what, name + " " + paint(what, tone::dim, row.states.text()));
    else
      line(out, what, name + " " + paint(what, tone_of(model.at(row.node).last), bar_of(model, row.node, in)));
  }
  out.write(
      paint(what, tone::dim,
            "█ runs  ▒ waits in its body  ░ waits for a worker  · waits to be admitted  ▓ was asked to stop, releases  "
            "─ is open\n"));
  return 0;
}

} // namespace muster::trace_viewer
