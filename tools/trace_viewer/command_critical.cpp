/// `muster-trace critical`: what the end of a scope waited for, step by step, with each step's share of the scope's
/// time.
#include "command.hpp"
#include "critical.hpp"
#include "paths.hpp"
#include "text.hpp"

namespace muster::trace_viewer {

namespace {

[[nodiscard]] std::string_view word_for(step_kind kind) noexcept {
  switch (kind) {
    case step_kind::open:
      return "open";
    case step_kind::held:
      return "held";
    case step_kind::queued:
      return "queued";
    case step_kind::runs:
      return "runs";
    case step_kind::release:
      return "releases";
    case step_kind::stops:
      return "stops";
    case step_kind::ending:
      return "joins";
  }
  return "?";
}

/// Without a path: the scope that lasted longest.
[[nodiscard]] node_index longest_scope(const trace_model& model) {
  node_index longest = none_found;
  for (node_index n = 0; n < model.nodes().size(); ++n)
    if (model.at(n).kind == node_kind::scope && model.at(n).created != unset &&
        (longest == none_found || model.duration_at(n, model.end_ns()) > model.duration_at(longest, model.end_ns())))
      longest = n;
  return longest;
}

} // namespace

answer run_critical(const trace_model& model, const request& what, output& out) {
  const paths where{model};
  node_index scope = longest_scope(model);
  if (!what.path.empty()) {
    const auto found = where.resolve(what.path);
    if (!found)
      return std::unexpected{found.error()};
    scope = *found;
    if (const auto k = model.at(scope).kind; k != node_kind::scope && k != node_kind::manager && k != node_kind::task)
      return std::unexpected{
          fmt::format("{} has no critical path: give a scope, a task or a manager", where.with_kind(scope))};
  }
  if (scope == none_found) {
    out.write(what.json ? "{\"steps\": []}\n" : model.nodes().empty() ? "the trace is empty\n" : "no scope in it\n");
    return 0;
  }
  const auto steps = critical_path(model, scope);
  std::int64_t total = 0;
  for (const auto& s : steps)
    total += s.to - s.from;
  const auto share = [&](const path_step& s) {
    return share_text(static_cast<std::uint64_t>(s.to - s.from), static_cast<std::uint64_t>(total));
  };
  if (what.json) {
    json all{{"path", where.text(scope)}, {"duration_ns", total}, {"steps", json::array()}};
    for (const auto& s : steps)
      all["steps"].push_back({{"path", where.text(s.node)},
                              {"what", word_for(s.kind)},
                              {"from_ns", s.from},
                              {"duration_ns", s.to - s.from},
                              {"share", static_cast<double>(s.to - s.from) / static_cast<double>(total)}});
    out.write(dump(all) + "\n");
    return 0;
  }
  if (steps.empty()) {
    out.print("{} lasted no time{}\n", where.with_kind(scope),
              model.at(scope).created == unset ? " that is known: its beginning was overwritten" : "");
    return 0;
  }
  line(out, what, fmt::format("{}: {}{}", paint(what, tone::strong, where.with_kind(scope)), duration_text(total),
                              model.at(scope).ended == unset ? " so far" : ""));
  const auto most = what.all ? SIZE_MAX : std::max<std::size_t>(what.top, 1) * 4;
  for (std::size_t i = 0; i < steps.size() && i < most; ++i) {
    const auto& s = steps[i];
    line(out, what, fmt::format("  {}  {:>9}  {:>7}  {:<8}  {}", moment_text(model.since_begin(s.from)),
                                duration_text(s.to - s.from), share(s), word_for(s.kind), where.with_kind(s.node)));
  }
  if (steps.size() > most)
    out.print("… and {} (--all shows them)\n", counted(steps.size() - most, "further step"));
  return 0;
}

} // namespace muster::trace_viewer
