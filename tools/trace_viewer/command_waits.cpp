/// `muster-trace waits`: who waits for whom or what at a moment, circles, and who holds up the shutdown.
#include "command.hpp"
#include "paths.hpp"
#include "text.hpp"
#include "wait_graph.hpp"

namespace muster::trace_viewer {

namespace {

[[nodiscard]] std::string_view word_for(wait_kind kind) noexcept {
  switch (kind) {
    case wait_kind::dependency:
      return "comes after";
    case wait_kind::holder:
      return "has lent a resource to";
    default:
      return "waits for";
  }
}

void write_json(const trace_model& model, const paths& where, const wait_graph& graph, std::int64_t at, output& out) {
  json all{{"at_ns", at}, {"waits", json::array()}, {"circles", json::array()}, {"blockers", json::array()}};
  for (const auto& e : graph.edges) {
    json one{{"who", where.text(e.from)},
             {"what", e.to != none_found ? where.text(e.to) : e.text},
             {"how", word_for(e.kind)},
             {"since_ns", e.since},
             {"for_ns", std::min(at, model.end_ns()) - e.since}};
    if (e.circle != 0)
      one["circle"] = e.circle;
    all["waits"].push_back(std::move(one));
  }
  for (const auto& c : graph.circles) {
    auto members = json::array();
    for (const auto n : c)
      members.push_back(where.text(n));
    all["circles"].push_back(std::move(members));
  }
  if (graph.shutting_down != none_found)
    all["shutting_down"] = where.text(graph.shutting_down);
  for (const auto& b : graph.blockers)
    all["blockers"].push_back(
        {{"path", where.text(b.node)}, {"why", b.why}, {"for_ns", std::min(at, model.end_ns()) - b.since}});
  out.write(dump(all) + "\n");
}

} // namespace

answer run_waits(const trace_model& model, const request& what, output& out) {
  const auto at = moment_of(model, what);
  if (!at)
    return std::unexpected{at.error()};
  const paths where{model};
  const auto graph = waits_at(model, *at);
  if (what.json) {
    write_json(model, where, graph, *at, out);
    return 0;
  }
  const auto age = [&](std::int64_t since) { return duration_text(std::min(*at, model.end_ns()) - since); };
  const auto most = what.all ? SIZE_MAX : std::max<std::size_t>(what.top, 1) * 4;
  if (graph.edges.empty())
    out.write(model.nodes().empty() ? "the trace is empty\n" : "nobody waits\n");
  for (std::size_t i = 0; i < graph.edges.size() && i < most; ++i) {
    const auto& e = graph.edges[i];
    line(out, what,
         fmt::format("{:>10}  {} {} {}{}", age(e.since), where.with_kind(e.from), word_for(e.kind),
                     e.to != none_found ? where.with_kind(e.to) : e.text,
                     e.circle != 0 ? paint(what, tone::bad, fmt::format("  [circle {}]", e.circle)) : ""));
  }
  if (graph.edges.size() > most)
    out.print("… and {} (--all shows them)\n", counted(graph.edges.size() - most, "further wait"));
  for (std::size_t i = 0; i < graph.circles.size(); ++i) {
    out.write(paint(what, tone::bad, fmt::format("circle {}: these wait for each other and never end\n", i + 1)));
    for (const auto n : graph.circles[i])
      line(out, what, "  " + where.with_kind(n));
  }
  if (!graph.blockers.empty()) {
    out.write(graph.shutting_down != none_found
                ? fmt::format("the shutdown of {} is held up by\n", where.with_kind(graph.shutting_down))
                : "asked to stop, and still here\n");
    for (std::size_t i = 0; i < graph.blockers.size() && i < most; ++i)
      line(out, what,
           fmt::format("{:>10}  {} {}", age(graph.blockers[i].since), where.with_kind(graph.blockers[i].node),
                       graph.blockers[i].why));
    if (graph.blockers.size() > most)
      out.print("… and {} (--all shows them)\n", count_text(graph.blockers.size() - most) + " more");
  }
  return 0;
}

} // namespace muster::trace_viewer
