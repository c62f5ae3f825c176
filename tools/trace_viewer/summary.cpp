/// Gathering the summary in one walk over the nodes and one over the events.
#include "summary.hpp"

#include "text.hpp"
#include "tree_rows.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace muster::trace_viewer {

namespace {

class gatherer {
public:
  explicit gatherer(const trace_model& model) : model_{model} {}

  [[nodiscard]] summary gather(std::size_t top) {
    summary f;
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
    for (const auto& e : model_.data().events) {
      f.restarts += e.kind == event_kind::restart_done;
      f.restarts_abandoned += e.kind == event_kind::restart_abandoned;
      if (e.kind == event_kind::restart_backoff)
        f.longest_backoff = std::max(f.longest_backoff, e.value);
    }
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
    for (node_index n = 0; n < model_.nodes().size(); ++n) {
      const auto& it = model_.at(n);
      if (it.kind != node_kind::task)
        continue;
      if (it.started != unset)
        add_body(n, running);
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
      if (e.kind == event_kind::lane_shrunk) {
        ++use.shrunk;
        use.shrunk_to = static_cast<std::uint64_t>(e.value);
      }
      use.saturated += e.kind == event_kind::lane_saturated;
    }
    use.queued.settle();
    return use;
  }

  /// When its body came onto a thread and when it left it.
  void add_body(node_index n, std::vector<std::pair<std::int64_t, int>>& steps) const {
    const auto& it = model_.at(n);
    bool on = !it.suspends || model_.state_at(n, it.started) != state::suspended;
    if (on)
      steps.emplace_back(it.started, 1);
    if (it.suspends)
      for (const auto index : model_.events_of(n)) {
        const auto& e = model_.event_at(index);
        if ((on && e.kind == event_kind::task_suspended) || (!on && e.kind == event_kind::task_resumed)) {
          on = !on;
          steps.emplace_back(e.time_ns, on ? 1 : -1);
        }
      }
    if (on)
      steps.emplace_back(it.ended == unset ? model_.end_ns() : it.ended, -1);
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

} // namespace

summary summarise(const trace_model& model, std::size_t top) { return gatherer{model}.gather(top); }

} // namespace muster::trace_viewer
