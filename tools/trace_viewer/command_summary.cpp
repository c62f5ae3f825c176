/// `muster-trace summary`: statistics per scope and in total, the slowest, the most failing, the most restarted, the
/// use of the lane, and what was lost.
#include "command.hpp"
#include "paths.hpp"
#include "statistics.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace muster::trace_viewer {

void task_statistics::add(const node& task) {
  ++created;
  started += task.started != unset;
  switch (task.last) {
    case state::ok:
      ++completed;
      break;
    case state::failed:
      ++failed;
      break;
    case state::timed_out:
      ++timed_out;
      break;
    case state::cancelled:
      ++cancelled;
      break;
    case state::skipped:
      ++skipped;
      break;
    default:
      ++live;
  }
  if (task.started != unset && task.ended != unset)
    durations.push_back(task.ended - task.started);
}

void task_statistics::settle() { std::ranges::sort(durations); }

std::int64_t task_statistics::average() const noexcept {
  if (durations.empty())
    return 0;
  double sum = 0;
  for (const auto d : durations)
    sum += static_cast<double>(d);
  return static_cast<std::int64_t>(sum / static_cast<double>(durations.size()));
}

std::int64_t task_statistics::percentile(double percent) const noexcept {
  if (durations.empty())
    return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * static_cast<double>(durations.size())));
  return durations[std::min(durations.size(), std::max<std::size_t>(rank, 1)) - 1];
}

namespace {

/// Scopes whose paths differ in numbers only are one group.
struct group {
  std::string name;
  std::uint64_t scopes = 0;
  task_statistics tasks{};
};

struct named {
  node_index node;
  std::int64_t value;
};

struct failing {
  std::string name;
  std::uint64_t bad = 0;
  std::uint64_t all = 0;
};

/// How many bodies ran at a time.
struct lane_use {
  std::uint64_t workers = 0;
  std::uint64_t grown_to = 0;
  std::uint64_t grown = 0;
  std::uint64_t saturated = 0;
  std::uint64_t most_running = 0;
  std::uint64_t most_ready = 0;
  double average_running = 0;
  task_statistics queued{}; ///< durations: from ready to the start of the body
};

struct findings {
  task_statistics total;
  std::vector<group> groups;
  std::vector<named> slowest;
  std::vector<failing> most_failing;
  std::vector<named> most_restarted;
  lane_use lane;
};

class gatherer {
public:
  explicit gatherer(const trace_model& model) : model_{model} {}

  [[nodiscard]] findings gather(std::size_t top) {
    findings f;
    std::unordered_map<std::uint32_t, std::size_t> group_of_stem;
    std::unordered_map<std::uint64_t, std::size_t> failing_of;
    std::unordered_map<std::uint32_t, bool> scope_counted;
    for (const auto n : preorder(model_)) {
      const auto& it = model_.at(n);
      if (it.kind == node_kind::actor && it.restarts > 0)
        f.most_restarted.push_back({n, it.restarts});
      if (it.kind != node_kind::task)
        continue;
      f.total.add(it);
      const auto home = it.parent == none_found ? 0 : stem(it.parent);
      const auto which = group_of_stem.emplace(home, f.groups.size()).first->second;
      if (which == f.groups.size())
        f.groups.push_back({.name = home == 0 ? "(scopes of which nothing was kept)" : stems_[home].text});
      f.groups[which].tasks.add(it);
      if (it.parent != none_found && !std::exchange(scope_counted[it.parent], true))
        ++f.groups[which].scopes;
      if (it.started != unset && it.ended != unset)
        f.slowest.push_back({n, it.ended - it.started});
      if (has_ended(it.last)) {
        const auto kind = std::uint64_t{home} << 32U | name_stem(it.name);
        const auto at = failing_of.emplace(kind, f.most_failing.size()).first->second;
        if (at == f.most_failing.size())
          f.most_failing.push_back({(home == 0 ? "" : stems_[home].text + "/") + stems_[name_stem(it.name)].text});
        f.most_failing[at].bad += is_bad(it.last);
        ++f.most_failing[at].all;
      }
    }
    f.total.settle();
    for (auto& g : f.groups)
      g.tasks.settle();
    std::ranges::stable_sort(f.groups, std::ranges::greater{}, [](const group& g) { return g.tasks.created; });
    keep_top(f.slowest, top, &named::value);
    keep_top(f.most_restarted, top, &named::value);
    std::erase_if(f.most_failing, [](const failing& x) { return x.bad == 0; });
    keep_top(f.most_failing, top, &failing::bad);
    f.lane = use_of_lane();
    return f;
  }

private:
  template <class Item, class Key>
  static void keep_top(std::vector<Item>& all, std::size_t top, Key key) {
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(std::min(top, all.size()));
    std::ranges::stable_sort(all, std::ranges::greater{}, key);
    all.erase(end, all.end());
  }

  struct stem_entry {
    std::string text;
  };
  /// The number of a path whose names have no numbers in them. Each scope's is found once.
  [[nodiscard]] std::uint32_t stem(node_index n) {
    if (node_stems_.empty())
      node_stems_.assign(model_.nodes().size(), 0);
    std::vector<node_index> way;
    for (auto at = n; at != none_found && node_stems_[at] == 0; at = model_.at(at).parent)
      way.push_back(at);
    for (; !way.empty(); way.pop_back()) {
      const auto& it = model_.at(way.back());
      const auto above = it.parent == none_found ? 0 : node_stems_[it.parent];
      const auto own = name_stem(it.name);
      const auto [found, made] = pairs_.emplace(std::uint64_t{above} << 32U | own, 0);
      if (made)
        found->second = number_of((above == 0 ? "" : stems_[above].text + "/") + stems_[own].text);
      node_stems_[way.back()] = found->second;
    }
    return node_stems_[n];
  }
  [[nodiscard]] std::uint32_t name_stem(std::uint32_t text) {
    const auto [found, made] = text_stems_.emplace(text, 0);
    if (made)
      found->second = number_of(text == 0 ? "?" : stem_of(escaped(model_.text(text))));
    return found->second;
  }
  [[nodiscard]] std::uint32_t number_of(std::string text) {
    if (stems_.empty())
      stems_.emplace_back(); // 0 is none
    const auto [found, made] = numbers_.emplace(text, static_cast<std::uint32_t>(stems_.size()));
    if (made)
      stems_.push_back({std::move(text)});
    return found->second;
  }

  [[nodiscard]] lane_use use_of_lane() {
    lane_use use{.workers = model_.data().workers};
    std::vector<std::pair<std::int64_t, int>> running;
    std::vector<std::pair<std::int64_t, int>> ready;
    for (const auto& it : model_.nodes()) {
      if (it.kind != node_kind::task)
        continue;
      if (it.started != unset) {
        running.emplace_back(it.started, 1);
        running.emplace_back(it.ended == unset ? model_.end_ns() : it.ended, -1);
      }
      if (it.ready != unset && (it.started != unset || it.ended == unset)) {
        ready.emplace_back(it.ready, 1);
        ready.emplace_back(it.started == unset ? model_.end_ns() : it.started, -1);
        if (it.started != unset)
          use.queued.durations.push_back(it.started - it.ready);
      }
    }
    double area = 0;
    use.most_running = most_at_once(running, &area);
    use.most_ready = most_at_once(ready, nullptr);
    if (!running.empty() && running.back().first > running.front().first)
      use.average_running = area / static_cast<double>(running.back().first - running.front().first);
    for (const auto& e : model_.data().events) {
      if (e.kind == event_kind::lane_grown) {
        ++use.grown;
        use.grown_to = std::max(use.grown_to, static_cast<std::uint64_t>(e.value));
      }
      use.saturated += e.kind == event_kind::lane_saturated;
    }
    use.queued.settle();
    return use;
  }

  static std::uint64_t most_at_once(std::vector<std::pair<std::int64_t, int>>& steps, double* area) {
    std::ranges::sort(steps); // ends before beginnings of the same moment
    std::int64_t now = 0;
    std::int64_t most = 0;
    for (std::size_t i = 0; i < steps.size(); ++i) {
      if (area != nullptr && i > 0)
        *area += static_cast<double>(now) * static_cast<double>(steps[i].first - steps[i - 1].first);
      now += steps[i].second;
      most = std::max(most, now);
    }
    return static_cast<std::uint64_t>(most);
  }

  const trace_model& model_;
  std::vector<std::uint32_t> node_stems_;
  std::unordered_map<std::uint64_t, std::uint32_t> pairs_;
  std::unordered_map<std::uint32_t, std::uint32_t> text_stems_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::vector<stem_entry> stems_;
};

void print_row(output& out, const request& what, std::size_t name_width, const std::string& name,
               const task_statistics& t) {
  const auto bad = t.failed + t.timed_out;
  line(out, what,
       fmt::format(
           "{} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} {} {:>8} {:>8} {:>8} {:>8} {:>8}", padded(name, name_width),
           count_text(t.started), count_text(t.completed), count_text(t.failed), count_text(t.timed_out),
           count_text(t.cancelled), count_text(t.skipped),
           paint(what, bad > 0 ? tone::bad : tone::good, fmt::format("{:>8}", share_text(t.completed, t.ended()))),
           duration_text(t.average()), duration_text(t.percentile(50)), duration_text(t.percentile(95)),
           duration_text(t.percentile(99)), duration_text(t.durations.empty() ? 0 : t.durations.back())));
}

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

void write_json(const trace_model& model, const findings& f, const paths& where, output& out) {
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
  all["lane"] = {{"workers", f.lane.workers},
                 {"grown_to", f.lane.grown_to},
                 {"grown", f.lane.grown},
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

void write_lists(const trace_model& model, const request& what, const findings& f, const paths& where, output& out) {
  if (!f.slowest.empty()) {
    out.write("\nslowest\n");
    for (const auto& s : f.slowest)
      line(out, what, fmt::format("  {:>9}  {}", duration_text(s.value), where.text(s.node)));
  }
  if (!f.most_failing.empty()) {
    out.write("\nmost failing\n");
    for (const auto& x : f.most_failing)
      line(out, what, fmt::format("  {:>9} of {}  {}", count_text(x.bad), count_text(x.all), x.name));
  }
  if (!f.most_restarted.empty()) {
    out.write("\nmost restarted\n");
    for (const auto& s : f.most_restarted)
      line(out, what,
           fmt::format("  {:>9}  {}  {}", count_text(static_cast<std::uint64_t>(s.value)), where.text(s.node),
                       to_string(model.at(s.node).last)));
  }
  const auto& l = f.lane;
  out.write("\nlane\n");
  if (l.workers != 0 || l.grown != 0)
    line(out, what,
         fmt::format("  workers: {}{}{}", l.workers != 0 ? std::to_string(l.workers) : "?",
                     l.grown != 0 ? fmt::format(", grown to {} in {}", l.grown_to, counted(l.grown, "step")) : "",
                     l.saturated != 0 ? fmt::format(", all blocked {}", counted(l.saturated, "time")) : ""));
  line(out, what,
       fmt::format("  bodies at a time: {:.2f} on average, {} at most; ready and without a worker: {} at most",
                   l.average_running, count_text(l.most_running), count_text(l.most_ready)));
  line(out, what,
       fmt::format("  time in the queue: {} in the middle, {} at most", duration_text(l.queued.percentile(50)),
                   duration_text(l.queued.durations.empty() ? 0 : l.queued.durations.back())));
}

} // namespace

answer run_summary(const trace_model& model, const request& what, output& out) {
  const auto f = gatherer{model}.gather(what.top);
  const paths where{model};
  if (what.json) {
    write_json(model, f, where, out);
    return 0;
  }
  const auto& data = model.data();
  const std::string_view ended = data.live                           ? ", still running"
                                 : data.copied || data.ended_cleanly ? ""
                                                                     : ", did not end cleanly";
  line(out, what,
       fmt::format("{} (pid {}): {}, {}{}", data.program.empty() ? "?" : escaped(data.program), data.pid,
                   duration_text(model.end_ns() - model.begin_ns()), counted(data.events.size(), "event"), ended));
  if (f.total.created == 0) {
    out.write(data.events.empty() ? "the trace is empty\n" : "no task in it\n");
  } else {
    std::size_t name_width = 20;
    const auto shown =
        what.all ? f.groups.size() : std::min<std::size_t>(f.groups.size(), std::max<std::size_t>(what.top, 1) * 2);
    const auto title = [](const group& g) {
      return g.scopes > 1 ? fmt::format("{} ×{}", g.name, count_text(g.scopes)) : g.name;
    };
    for (std::size_t i = 0; i < shown; ++i)
      name_width = std::max(name_width, columns_of(title(f.groups[i])));
    name_width = std::min(name_width, what.width > 131 ? what.width - 111 : 20);
    out.write("\n");
    line(out, what,
         paint(what, tone::dim,
               fmt::format("{} {:>9} {:>9} {:>7} {:>7} {:>7} {:>7} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}",
                           padded("scope", name_width), "started", "ok", "failed", "timeout", "cancel", "skipped",
                           "success", "average", "p50", "p95", "p99", "max")));
    for (std::size_t i = 0; i < shown; ++i)
      print_row(out, what, name_width, title(f.groups[i]), f.groups[i].tasks);
    if (shown < f.groups.size())
      out.print("… and {} (--all shows them)\n", counted(f.groups.size() - shown, "further group"));
    print_row(out, what, name_width, "total", f.total);
    if (f.total.live > 0)
      out.print("{} not ended\n", counted(f.total.live, "task"));
    write_lists(model, what, f, where, out);
  }
  if (const auto lost = losses(model); !lost.empty())
    line(out, what, paint(what, tone::warn, lost));
  return 0;
}

} // namespace muster::trace_viewer
