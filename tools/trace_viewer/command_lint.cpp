/// `muster-trace lint`: what a careful reader of a trace would point at, each with what, where, since when and the
/// threshold that it passed.
#include "command.hpp"
#include "paths.hpp"
#include "text.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace muster::trace_viewer {

namespace {

struct finding {
  node_index where = none_found;
  std::int64_t since = 0; ///< trace clock
  std::int64_t weight = 0;
  std::string text;
};

struct rule {
  const char* name;
  const char* title;
  std::string threshold;
  std::vector<finding> findings{};
};

class linter {
public:
  linter(const trace_model& model, const request& what) : model_{model}, what_{what} {}

  std::vector<rule> run() {
    std::vector<rule> rules{
        {"slow-cancel", "slow to answer a cancel", "more than " + duration_text(what_.slow_cancel)},
        {"never-waited", "scopes that nobody waited for", ""},
        {"slow-release", "slow to release", "more than " + duration_text(what_.slow_release)},
        {"restart-storm", "restart storms", fmt::format("{} restarts or more in 10 s", what_.storm)},
        {"starved", "starved by work of a higher priority", "ready for more than " + duration_text(what_.starved)}};
    for (const auto& w : model_.waits())
      if (w.target != none_found)
        (model_.text(model_.event_at(w.began).text) == "its destructor" ? destroyed_ : waited_for_).insert(w.target);
    for (node_index n = 0; n < model_.nodes().size(); ++n) {
      slow_cancel(n, rules[0]);
      never_waited(n, rules[1]);
      slow_release(n, rules[2]);
      storm(n, rules[3]);
    }
    starved(rules[4]);
    for (auto& r : rules)
      std::ranges::stable_sort(r.findings, std::ranges::greater{}, &finding::weight);
    return rules;
  }

private:
  [[nodiscard]] std::int64_t until(std::int64_t moment) const { return moment == unset ? model_.end_ns() : moment; }

  void slow_cancel(node_index n, rule& into) const {
    const auto& it = model_.at(n);
    if (it.kind != node_kind::task || it.asked == unset || it.started == unset)
      return;
    const auto took = until(it.ended) - it.asked;
    if (took <= what_.slow_cancel)
      return;
    std::string seen = "it never looked";
    for (const auto e : model_.events_of(n))
      if (const auto& what = model_.event_at(e); what.kind == event_kind::cancel_observed)
        seen = "it saw that after " + duration_text(what.value);
    into.findings.push_back(
        {n, it.asked, took,
         fmt::format("{} {} after it was asked to stop; {}{}", it.ended == unset ? "still there" : "ended",
                     duration_text(took), seen, it.unresponsive ? "; found unresponsive" : "")});
  }

  /// Supervisors that a scope starts as children are waited for by that scope.
  [[nodiscard]] bool is_child_supervisor(node_index n) const {
    const auto& it = model_.at(n);
    if (it.parent == none_found)
      return false;
    for (const auto s : model_.children(it.parent))
      if (model_.at(s).kind == node_kind::actor && model_.at(s).name == it.name)
        return true;
    return false;
  }

  void never_waited(node_index n, rule& into) const {
    const auto& it = model_.at(n);
    if (it.kind != node_kind::scope || it.created == unset || it.ended == unset || waited_for_.contains(n))
      return;
    std::uint64_t cut_off = 0;
    std::uint64_t tasks = 0;
    for (const auto c : model_.children(n)) {
      tasks += model_.at(c).kind == node_kind::task;
      cut_off += model_.at(c).kind == node_kind::task && model_.at(c).last == state::cancelled;
    }
    if (tasks == 0 || (!destroyed_.contains(n) && is_child_supervisor(n)))
      return;
    into.findings.push_back(
      {n, it.created, static_cast<std::int64_t>(cut_off),
       fmt::format("{} in it{}; call wait() before it is destroyed", counted(tasks, "task"),
                   cut_off != 0 ? fmt::format(", {} cut off by its destructor", count_text(cut_off)) : "")});
  }

  void slow_release(node_index n, rule& into) const {
    const auto& it = model_.at(n);
    if ((it.kind != node_kind::resource && it.kind != node_kind::pool) || it.started == unset)
      return;
    const auto took = until(it.ended) - it.started;
    if (took > what_.slow_release)
      into.findings.push_back(
          {n, it.started, took,
           fmt::format("its release {} {}", it.ended == unset ? "has gone on for" : "took", duration_text(took))});
  }

  void storm(node_index n, rule& into) const {
    const auto& it = model_.at(n);
    if (it.restarts < what_.storm)
      return;
    constexpr std::int64_t window = 10'000'000'000;
    std::vector<std::int64_t> at;
    for (const auto e : model_.events_of(n))
      if (model_.event_at(e).kind == event_kind::restart_done)
        at.push_back(model_.event_at(e).time_ns);
    std::size_t most = 0;
    std::int64_t since = 0;
    for (std::size_t from = 0, to = 0; to < at.size(); ++to) {
      while (at[to] - at[from] > window)
        ++from;
      if (to - from + 1 > most) {
        most = to - from + 1;
        since = at[from];
      }
    }
    if (most >= what_.storm)
      into.findings.push_back(
          {n, since, static_cast<std::int64_t>(most),
           fmt::format("{} in 10 s, {} in all", counted(most, "restart"), count_text(it.restarts))});
  }

  void starved(rule& into) const {
    struct ready_task {
      node_index node;
      std::int64_t ready;
      std::int64_t started;
      std::int64_t priority;
    };
    std::vector<ready_task> all;
    for (const auto& e : model_.data().events)
      if (e.kind == event_kind::task_ready)
        if (const auto n = model_.find(e.subject); n != none_found)
          all.push_back({n, e.time_ns, until(model_.at(n).started != unset ? model_.at(n).started : model_.at(n).ended),
                         e.value});
    std::vector<ready_task> slow;
    std::ranges::copy_if(all, std::back_inserter(slow),
                         [&](const auto& t) { return t.started - t.ready > what_.starved; });
    std::ranges::stable_sort(slow, std::ranges::greater{}, [](const auto& t) { return t.started - t.ready; });
    constexpr std::size_t most_looked_at = 64;
    if (slow.size() > most_looked_at)
      slow.resize(most_looked_at);
    for (const auto& t : slow) {
      // Those that came later, are more urgent, and got a worker first.
      const auto overtaken = std::ranges::count_if(
        all, [&](const auto& o) { return o.priority > t.priority && o.ready >= t.ready && o.started < t.started; });
      if (overtaken > 0)
        into.findings.push_back({t.node, t.ready, t.started - t.ready,
                                 fmt::format("ready for {} while {} of a higher priority that came later went first",
                                             duration_text(t.started - t.ready),
                                             counted(static_cast<std::uint64_t>(overtaken), "task"))});
    }
  }

  const trace_model& model_;
  const request& what_;
  std::unordered_set<node_index> waited_for_;
  std::unordered_set<node_index> destroyed_;
};

} // namespace

answer run_lint(const trace_model& model, const request& what, output& out) {
  const auto rules = linter{model, what}.run();
  const paths where{model};
  std::size_t found = 0;
  for (const auto& r : rules)
    found += r.findings.size();
  if (what.json) {
    json all{{"findings", json::array()}};
    for (const auto& r : rules)
      for (const auto& f : r.findings)
        all["findings"].push_back({{"rule", r.name},
                                   {"path", where.text(f.where)},
                                   {"what", f.text},
                                   {"since_ns", f.since},
                                   {"threshold", r.threshold}});
    out.write(dump(all) + "\n");
    return found == 0 ? 0 : 1;
  }
  for (const auto& r : rules) {
    if (r.findings.empty())
      continue;
    out.print("{} ({}){}\n", paint(what, tone::warn, r.title), count_text(r.findings.size()),
              r.threshold.empty() ? "" : ": " + r.threshold);
    const auto most = what.all ? SIZE_MAX : std::max<std::size_t>(what.top, 1);
    for (std::size_t i = 0; i < r.findings.size() && i < most; ++i)
      line(out, what, fmt::format("  {}  {}: {}", moment_text(model.since_begin(r.findings[i].since)),
                                  where.with_kind(r.findings[i].where), r.findings[i].text));
    if (r.findings.size() > most)
      out.print("  … and {} more (--all shows them)\n", count_text(r.findings.size() - most));
  }
  if (found == 0)
    out.write(model.nodes().empty() ? "the trace is empty\n" : "nothing found\n");
  return found == 0 ? 0 : 1;
}

} // namespace muster::trace_viewer
