/// `muster-trace ps`, `top`, `stuck`: processes that record, and what one of them is doing now.
#include "command.hpp"
#include "paths.hpp"
#include "text.hpp"
#include "tree_rows.hpp"
#include "wait_graph.hpp"

#include <algorithm>
#include <unordered_map>

namespace muster::trace_viewer {

namespace {

/// Somebody who is at something at the end of the trace.
struct busy {
  node_index node = none_found;
  std::int64_t since = 0;
  std::string what{};
  bool unresponsive = false;
};

/// Everything that runs, waits, stops or is being released now, the oldest first and the unresponsive before all.
[[nodiscard]] std::vector<busy> busy_now(const trace_model& model, const paths& where) {
  std::vector<busy> all;
  const auto now = model.end_ns();
  for (node_index n = 0; n < model.nodes().size(); ++n) {
    const auto& it = model.at(n);
    const auto s = it.last;
    if (has_ended(s) || s == state::unknown)
      continue;
    busy b{.node = n, .unresponsive = it.unresponsive};
    if (it.kind == node_kind::task) {
      const auto* w = model.waiting_at(n, now);
      const auto asked = it.asked != unset ? ", asked to stop" : "";
      if (w != nullptr) {
        b.since = model.event_at(w->began).time_ns;
        b.what = fmt::format(
            "waits for {}{}",
            w->target != none_found ? where.with_kind(w->target) : escaped(model.text(model.event_at(w->began).text)),
            asked);
      } else if (it.started != unset) {
        b.since = it.asked != unset && it.unresponsive ? it.asked : it.started;
        b.what = it.unresponsive
                     ? "was asked to stop and does not answer"
                     : fmt::format("{}{}", s == state::suspended ? "is suspended" : "runs", asked);
      } else if (it.ready != unset) {
        b.since = it.ready;
        b.what = "waits for a worker";
      } else {
        b.since = it.created != unset ? it.created : model.begin_ns();
        b.what = "waits to be admitted";
        for (const auto d : model.dependencies(n))
          if (!has_ended(model.at(d).last)) {
            b.what = "comes after " + where.with_kind(d);
            break;
          }
      }
      if (it.thread != 0 && it.started != unset)
        b.what += fmt::format(" (thread {})", it.thread);
    } else if (s == state::stopping || s == state::releasing) {
      if (it.kind == node_kind::scope || it.kind == node_kind::manager)
        continue; // those below it are what matters
      b.since = it.kind == node_kind::resource ? it.started : it.asked;
      b.what = it.kind == node_kind::actor ? "was told to stop" : "is being released";
    } else if (s == state::down && it.kind == node_kind::actor) {
      b.since = model.events_of(n).empty() ? now : model.event_at(model.events_of(n).back()).time_ns;
      b.what = "is down";
    } else {
      continue;
    }
    all.push_back(std::move(b));
  }
  std::ranges::stable_sort(all, [](const busy& a, const busy& b) {
    return a.unresponsive != b.unresponsive ? a.unresponsive : a.since < b.since;
  });
  return all;
}

} // namespace

answer run_top(const trace_model& model, const request& what, std::size_t rows, output& out) {
  const paths where{model};
  const auto& data = model.data();
  tally tasks;
  std::uint64_t scopes = 0;
  std::uint64_t workers = data.workers;
  for (const auto& n : model.nodes()) {
    if (n.kind == node_kind::task)
      tasks.add(n.last);
    scopes += n.kind == node_kind::scope && !has_ended(n.last);
  }
  for (const auto& f : data.folded)
    tasks.add(f.state <= 1 ? state::waiting : f.state == 2 ? state::ready : state::running, f.count);
  for (const auto& e : data.events)
    if (e.kind == event_kind::lane_grown || e.kind == event_kind::lane_shrunk)
      workers = static_cast<std::uint64_t>(e.value);
  const auto all = busy_now(model, where);
  if (what.json) {
    json it{{"program", data.program}, {"pid", data.pid},           {"live", data.live},
            {"up_ns", model.end_ns() - model.begin_ns()},           {"workers", workers},
            {"open_scopes", scopes},   {"tasks", json::object()},   {"busy", json::array()}};
    for (std::size_t s = 0; s < tasks.of.size(); ++s)
      it["tasks"][std::string{to_string(static_cast<state>(s))}] = tasks.of[s];
    for (const auto& b : all)
      it["busy"].push_back({{"path", where.text(b.node)},
                            {"what", b.what},
                            {"for_ns", model.end_ns() - b.since},
                            {"unresponsive", b.unresponsive}});
    out.write(dump(it) + "\n");
    return 0;
  }
  line(out, what,
       fmt::format("{} (pid {}), {}{}; {} open; workers: {}", data.program.empty() ? "?" : escaped(data.program),
                   data.pid, data.live ? "up " : "ended, ran ", duration_text(model.end_ns() - model.begin_ns()),
                   counted(scopes, "scope"), workers == 0 ? "?" : std::to_string(workers)));
  line(out, what, fmt::format("tasks: {}", tasks.sum() == 0 ? "none" : tasks.text()));
  if (const auto lost = losses(model); !lost.empty())
    line(out, what, paint(what, tone::dim, lost));
  out.write("\n");
  line(out, what, paint(what, tone::dim, fmt::format("{:>10}  who, and what", "for")));
  const auto most = rows > 5 ? rows - 5 : 1;
  for (std::size_t i = 0; i < all.size() && i < most; ++i)
    line(out, what,
         fmt::format("{:>10}  {}  {}", duration_text(model.end_ns() - all[i].since), where.with_kind(all[i].node),
                     paint(what, all[i].unresponsive ? tone::bad : tone::plain, all[i].what)));
  if (all.empty())
    out.write("            nobody is at anything\n");
  return 0;
}

answer run_stuck(const trace_model& model, const request& what, output& out) {
  const paths where{model};
  const auto all = busy_now(model, where);
  const auto graph = waits_at(model, model.end_ns());
  std::unordered_map<node_index, std::vector<node_index>> waiters;
  for (const auto& e : graph.edges)
    if (e.to != none_found)
      waiters[e.to].push_back(e.from);
  // Whoever waits for a scope waits for those in it.
  const auto for_whom = [&](node_index n) {
    std::string whom;
    std::size_t many = 0;
    for (auto at = n; at != none_found; at = model.at(at).parent)
      if (const auto found = waiters.find(at); found != waiters.end())
        for (const auto w : found->second)
          if (++many <= 3)
            whom += (whom.empty() ? "" : ", ") + where.with_kind(w) +
                    (at != n ? " (waits for " + where.with_kind(at) + ")" : "");
    if (many > 3)
      whom += fmt::format(" and {} more", count_text(many - 3));
    return whom;
  };
  const auto most = what.all ? SIZE_MAX : std::max<std::size_t>(what.top, 1);
  if (what.json) {
    json it{{"stuck", json::array()}, {"circles", graph.circles.size()}};
    for (std::size_t i = 0; i < all.size() && i < most; ++i)
      it["stuck"].push_back({{"path", where.text(all[i].node)},
                             {"what", all[i].what},
                             {"for_ns", model.end_ns() - all[i].since},
                             {"unresponsive", all[i].unresponsive},
                             {"thread", model.at(all[i].node).thread},
                             {"keeps_waiting", for_whom(all[i].node)}});
    out.write(dump(it) + "\n");
    return 0;
  }
  if (all.empty())
    out.write(model.nodes().empty() ? "the trace is empty\n" : "nobody is at anything\n");
  for (std::size_t i = 0; i < all.size() && i < most; ++i) {
    const auto& b = all[i];
    line(out, what, fmt::format("{:>10}  {}  {}", duration_text(model.end_ns() - b.since),
                                paint(what, tone::strong, where.with_kind(b.node)),
                                paint(what, b.unresponsive ? tone::bad : tone::plain, b.what)));
    if (const auto whom = for_whom(b.node); !whom.empty())
      line(out, what, fmt::format("{:>10}  keeps waiting: {}", "", whom));
  }
  for (std::size_t i = 0; i < graph.circles.size(); ++i) {
    std::string members;
    for (const auto n : graph.circles[i])
      members += (members.empty() ? "" : ", ") + where.with_kind(n);
    out.print("{} {}\n", paint(what, tone::bad, "a circle, which never ends:"), members);
  }
  return 0;
}

answer run_ps(const std::vector<process_entry>& processes, const request& what, output& out) {
  if (what.json) {
    auto all = json::array();
    for (const auto& p : processes)
      all.push_back({{"pid", p.pid},
                     {"program", p.program},
                     {"running", p.running},
                     {"file", p.file.string()},
                     {"started_wall_ns", p.started_wall_ns}});
    out.write(dump(all) + "\n");
    return 0;
  }
  if (processes.empty()) {
    out.write("no process records\n");
    return 0;
  }
  line(out, what, paint(what, tone::dim, fmt::format("{:>8}  {:<8}  {:<24}  {}", "pid", "state", "program", "file")));
  for (const auto& p : processes)
    line(out, what, fmt::format("{:>8}  {}  {}  {}", p.pid,
                                paint(what, p.running ? tone::good : tone::dim, p.running ? "running " : "ended   "),
                                padded(escaped(p.program), 24), escaped(p.file.string())));
  return 0;
}

} // namespace muster::trace_viewer
