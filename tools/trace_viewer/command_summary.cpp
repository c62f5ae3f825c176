/// `muster-trace summary`: statistics per scope and in total, the slowest, the most failing, the most restarted, the
/// use of the lane, and what was lost.
#include "command.hpp"
#include "paths.hpp"
#include "summary.hpp"
#include "table.hpp"
#include "text.hpp"

#include <algorithm>

namespace muster::trace_viewer {

namespace {

[[nodiscard]] json as_json(const task_statistics& t) {
  return {{"created", t.created},
          {"started", t.started},
          {"completed", t.completed},
          {"failed", t.failed},
          {"timed_out", t.timed_out},
          {"cancelled", t.cancelled},
          {"skipped", t.skipped},
          {"live", t.live},
          {"average_ns", t.average()},
          {"p50_ns", t.percentile(50)},
          {"p95_ns", t.percentile(95)},
          {"p99_ns", t.percentile(99)},
          {"max_ns", t.durations.empty() ? 0 : t.durations.back()},
          {"success_rate",
           t.ended() == 0 ? json{} : json(static_cast<double>(t.completed) / static_cast<double>(t.ended()))}};
}

void write_json(const trace_model& model, const summary& f, const paths& where, output& out) {
  const auto& data = model.data();
  json all{{"program", data.program},
           {"pid", data.pid},
           {"duration_ns", model.end_ns() - model.begin_ns()},
           {"events", data.events.size()},
           {"total", as_json(f.total)},
           {"scopes", json::array()},
           {"slowest", json::array()},
           {"most_failing", json::array()},
           {"most_restarted", json::array()}};
  for (const auto& g : f.groups) {
    auto one = as_json(g.tasks);
    one["path"] = g.name;
    one["scopes"] = g.scopes;
    all["scopes"].push_back(std::move(one));
  }
  for (const auto& s : f.slowest)
    all["slowest"].push_back({{"path", where.text(s.node)}, {"duration_ns", s.value}});
  for (const auto& x : f.most_failing)
    all["most_failing"].push_back({{"path", x.name}, {"failed", x.bad}, {"ended", x.all}});
  for (const auto& s : f.most_restarted)
    all["most_restarted"].push_back({{"path", where.text(s.node)}, {"restarts", s.value}});
  all["restarts"] = {{"done", f.restarts},
                     {"abandoned", f.restarts_abandoned},
                     {"longest_backoff_ns", f.longest_backoff}};
  all["lane"] = {{"workers", f.lane.workers},
                 {"grown_to", f.lane.grown_to},
                 {"grown", f.lane.grown},
                 {"shrunk", f.lane.shrunk},
                 {"shrunk_to", f.lane.shrunk_to},
                 {"saturated", f.lane.saturated},
                 {"most_running", f.lane.most_running},
                 {"average_running", f.lane.average_running},
                 {"most_ready", f.lane.most_ready},
                 {"queued_p50_ns", f.lane.queued.percentile(50)},
                 {"queued_max_ns", f.lane.queued.durations.empty() ? 0 : f.lane.queued.durations.back()}};
  all["dropped"] = {{"events", data.events_dropped},
                    {"texts", data.strings_dropped},
                    {"torn", data.torn},
                    {"unknown", data.unknown_kinds}};
  out.write(dump(all) + "\n");
}

void add_row(table& to, const std::string& name, const task_statistics& t) {
  const auto bad = [](std::uint64_t n) { return table::cell{count_text(n), n > 0 ? tone::bad : tone::plain}; };
  to.add(name, {count_text(t.started), count_text(t.completed), bad(t.failed), bad(t.timed_out),
                count_text(t.cancelled), count_text(t.skipped),
                {share_text(t.completed, t.ended()), t.failed + t.timed_out > 0 ? tone::bad : tone::good},
                duration_text(t.average()), duration_text(t.percentile(50)), duration_text(t.percentile(95)),
                duration_text(t.percentile(99)), duration_text(t.durations.empty() ? 0 : t.durations.back())});
}

void write_statistics(const request& what, const summary& f, output& out) {
  table all{"scope",
            {{"started", 8},
             {"ok", 11},
             {"failed", 10},
             {"timeout", 9},
             {"cancel", 4},
             {"skipped", 3},
             {"success", 5},
             {"average", 7},
             {"p50", 2},
             {"p95", 6},
             {"p99", 1},
             {"max", 4}}};
  const auto shown =
      what.all ? f.groups.size() : std::min<std::size_t>(f.groups.size(), std::max<std::size_t>(what.top, 1) * 2);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& g = f.groups[i];
    add_row(all, g.scopes > 1 ? fmt::format("{} ×{}", g.name, count_text(g.scopes)) : g.name, g.tasks);
  }
  add_row(all, "total", f.total);
  out.write("\n");
  all.print(out, what);
  if (shown < f.groups.size())
    sentence(out, what,
             fmt::format("not shown: {} (--all shows them)", counted(f.groups.size() - shown, "further group")));
  if (f.total.live > 0)
    out.print("{} not ended\n", counted(f.total.live, "task"));
}

/// An item of a list: figures, then a path, of which the end is kept.
void item(output& out, const request& what, const std::string& figures, const std::string& path) {
  const auto used = columns_of(figures) + 2;
  line(out, what,
       figures + "  " + (what.width > used ? fitted_to_end(path, what.width - used) : std::string{}));
}

void write_lists(const trace_model& model, const request& what, const summary& f, const paths& where, output& out) {
  if (!f.slowest.empty()) {
    out.write("\nslowest\n");
    for (const auto& s : f.slowest)
      item(out, what, fmt::format("  {:>9}", duration_text(s.value)), where.text(s.node));
  }
  if (!f.most_failing.empty()) {
    out.write("\nmost failing\n");
    for (const auto& x : f.most_failing)
      item(out, what, fmt::format("  {:>9} of {}", count_text(x.bad), count_text(x.all)), x.name);
  }
  if (!f.most_restarted.empty()) {
    out.write("\nmost restarted\n");
    for (const auto& s : f.most_restarted)
      item(out, what,
           fmt::format("  {:>9}  {}", count_text(static_cast<std::uint64_t>(s.value)),
                       to_string(model.at(s.node).last)),
           where.text(s.node));
  }
  if (f.longest_backoff > 0 || f.restarts_abandoned > 0)
    sentence(out, what,
             fmt::format("  longest backoff before a restart: {}; restarts that were decided and did not come: {}",
                         duration_text(f.longest_backoff), count_text(f.restarts_abandoned)));
}

void write_lane(const lane_use& l, const request& what, output& out) {
  out.write("\nlane\n");
  std::string workers = l.workers != 0 ? std::to_string(l.workers) : "?";
  if (l.grown != 0)
    workers += fmt::format(", grown to {} in {}", l.grown_to, counted(l.grown, "step"));
  if (l.shrunk != 0)
    workers += fmt::format(", shrunk to {} again", l.shrunk_to);
  if (l.saturated != 0)
    workers += fmt::format(", all blocked {}", counted(l.saturated, "time"));
  if (l.workers != 0 || l.grown != 0)
    sentence(out, what, "  workers: " + workers);
  sentence(out, what,
           fmt::format("  bodies at a time: {:.2f} on average, {} at most; ready and without a worker: {} at most",
                       l.average_running, count_text(l.most_running), count_text(l.most_ready)));
  sentence(out, what,
           fmt::format("  time in the queue: {} in the middle, {} at most", duration_text(l.queued.percentile(50)),
                       duration_text(l.queued.durations.empty() ? 0 : l.queued.durations.back())));
}

} // namespace

answer run_summary(const trace_model& model, const request& what, output& out) {
  const auto f = summarise(model, what.top);
  const paths where{model};
  if (what.json) {
    write_json(model, f, where, out);
    return 0;
  }
  const auto& data = model.data();
  const std::string_view ended = data.live                           ? ", still running"
                                 : data.copied || data.ended_cleanly ? ""
                                                                     : ", did not end cleanly";
  sentence(out, what,
           fmt::format("{} (pid {}): {}, {}{}", data.program.empty() ? "?" : escaped(data.program), data.pid,
                       duration_text(model.end_ns() - model.begin_ns()), counted(data.events.size(), "event"), ended));
  if (f.total.created == 0) {
    out.write(data.events.empty() ? "the trace is empty\n" : "no task in it\n");
  } else {
    write_statistics(what, f, out);
    write_lists(model, what, f, where, out);
    write_lane(f.lane, what, out);
  }
  if (const auto lost = losses(model); !lost.empty())
    sentence(out, what, paint(what, tone::warn, lost));
  return 0;
}

} // namespace muster::trace_viewer
