/// Putting the edges together, and finding circles among them (Tarjan's strongly connected components, without
/// recursion).
#include "wait_graph.hpp"

#include "text.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace muster::trace_viewer {

namespace {

class builder {
public:
  builder(const trace_model& model, std::int64_t at) : model_{model}, at_{at} {}

  wait_graph build() {
    collect();
    hang_children();
    mark_circles();
    find_blockers();
    std::erase_if(graph_.edges, [](const wait_edge& e) { return e.kind == wait_kind::child; });
    std::ranges::stable_sort(graph_.edges, {}, &wait_edge::since);
    return std::move(graph_);
  }

private:
  [[nodiscard]] bool there(node_index n) const {
    const auto s = model_.state_at(n, at_);
    return s != state::unborn && !has_ended(s);
  }

  void collect() {
    std::vector<node_index> pools;
    for (const auto& w : model_.waits()) {
      const auto& began = model_.event_at(w.began);
      if (began.time_ns > at_ || (w.ended != none_found && model_.event_at(w.ended).time_ns <= at_))
        continue;
      if (w.who != none_found && !there(w.who))
        continue;
      add({.from = w.who, .to = w.target, .text = w.target != none_found ? "" : escaped(model_.text(began.text)),
           .since = began.time_ns});
      if (w.target != none_found && model_.at(w.target).kind == node_kind::pool)
        pools.push_back(w.target);
    }
    for (node_index n = 0; n < model_.nodes().size(); ++n)
      if (model_.at(n).kind == node_kind::task && model_.state_at(n, at_) == state::waiting)
        for (const auto other : model_.dependencies(n))
          if (there(other))
            add({.from = n, .to = other, .since = model_.at(n).created, .kind = wait_kind::dependency});
    std::ranges::sort(pools);
    pools.erase(std::unique(pools.begin(), pools.end()), pools.end());
    for (const auto pool : pools)
      add_holders(pool);
  }

  void add_holders(node_index pool) {
    std::unordered_map<std::uint64_t, std::vector<std::int64_t>> held;
    for (const auto index : model_.events_of(pool).first(model_.events_until(pool, at_))) {
      const auto& e = model_.event_at(index);
      auto& mine = held[static_cast<std::uint64_t>(e.value)];
      if (e.kind == event_kind::lease_granted)
        mine.push_back(e.time_ns);
      else if ((e.kind == event_kind::lease_returned || e.kind == event_kind::lease_reclaimed) && !mine.empty())
        mine.pop_back();
    }
    for (const auto& [who, since] : held)
      if (const auto n = model_.find(who); n != none_found && !since.empty() && there(n))
        add({.from = pool, .to = n, .since = since.front(), .kind = wait_kind::holder});
  }

  void add(wait_edge e) { graph_.edges.push_back(std::move(e)); }

  /// From what is waited for down to what lives in it, so that a circle through a scope is seen.
  void hang_children() {
    std::vector<node_index> open;
    std::unordered_set<node_index> seen;
    for (const auto& e : graph_.edges)
      if (e.to != none_found && seen.insert(e.to).second)
        open.push_back(e.to);
    while (!open.empty()) {
      const auto n = open.back();
      open.pop_back();
      for (const auto c : model_.children(n)) {
        const auto k = model_.at(c).kind;
        // Resources, and what is like them, end after the rest and hold nobody up before that.
        if ((k != node_kind::task && k != node_kind::scope && k != node_kind::actor) || !there(c))
          continue;
        add({.from = n, .to = c, .since = model_.at(c).created, .kind = wait_kind::child});
        if (seen.insert(c).second)
          open.push_back(c);
      }
    }
  }

  void mark_circles() {
    struct place {
      std::uint32_t number = 0;
      std::uint32_t low = 0;
      bool open = false;
      std::size_t next = 0;
    };
    std::unordered_map<node_index, std::vector<std::size_t>> out;
    for (std::size_t i = 0; i < graph_.edges.size(); ++i)
      if (graph_.edges[i].from != none_found && graph_.edges[i].to != none_found)
        out[graph_.edges[i].from].push_back(i);
    std::unordered_map<node_index, place> places;
    std::unordered_map<node_index, std::uint32_t> circle_of;
    std::vector<node_index> stack;
    std::uint32_t last = 0;
    for (const auto& e : graph_.edges) {
      if (e.from == none_found || places.contains(e.from))
        continue;
      std::vector<node_index> way{e.from};
      const auto visit = [&](node_index n) {
        places[n] = {++last, last, true, 0};
        stack.push_back(n);
      };
      visit(e.from);
      while (!way.empty()) {
        const auto n = way.back();
        auto& mine = places[n];
        const auto found = out.find(n);
        if (found != out.end() && mine.next < found->second.size()) {
          const auto to = graph_.edges[found->second[mine.next++]].to;
          const auto other = places.find(to);
          if (other == places.end()) {
            visit(to);
            way.push_back(to);
          } else if (other->second.open) {
            mine.low = std::min(mine.low, other->second.number);
          }
          continue;
        }
        way.pop_back();
        if (!way.empty())
          places[way.back()].low = std::min(places[way.back()].low, mine.low);
        if (mine.low == mine.number)
          close(n, stack, places, out, circle_of);
      }
    }
    for (auto& e : graph_.edges)
      if (const auto from = circle_of.find(e.from); from != circle_of.end())
        if (const auto to = circle_of.find(e.to); to != circle_of.end() && from->second == to->second)
          e.circle = from->second;
  }

  template <class Places, class Out>
  void close(node_index n, std::vector<node_index>& stack, Places& places, const Out& out,
             std::unordered_map<node_index, std::uint32_t>& circle_of) {
    std::vector<node_index> members;
    for (node_index top = none_found; top != n;) {
      top = stack.back();
      stack.pop_back();
      places[top].open = false;
      members.push_back(top);
    }
    bool circular = members.size() > 1;
    if (const auto own = out.find(n); !circular && own != out.end())
      for (const auto i : own->second)
        circular = circular || graph_.edges[i].to == n;
    if (!circular)
      return;
    std::ranges::reverse(members);
    graph_.circles.push_back(members);
    for (const auto m : members)
      circle_of[m] = static_cast<std::uint32_t>(graph_.circles.size());
  }

  void find_blockers() {
    for (node_index n = 0; n < model_.nodes().size(); ++n) {
      const auto& it = model_.at(n);
      if (it.kind == node_kind::manager && it.asked != unset && it.asked <= at_ && there(n))
        graph_.shutting_down = graph_.shutting_down == none_found ? n : graph_.shutting_down;
    }
    const auto below_shutdown = [&](node_index n) {
      for (; n != none_found; n = model_.at(n).parent)
        if (n == graph_.shutting_down)
          return true;
      return false;
    };
    for (node_index n = 0; n < model_.nodes().size(); ++n) {
      if (!there(n) || n == graph_.shutting_down)
        continue;
      const auto s = model_.state_at(n, at_);
      const auto& it = model_.at(n);
      const bool works =
          (it.kind == node_kind::task && (s == state::running || s == state::suspended || s == state::stopping) &&
           it.started != unset) ||
          ((it.kind == node_kind::actor || it.kind == node_kind::pool) && s == state::stopping) ||
          (it.kind == node_kind::resource && s == state::releasing);
      const bool stopping = it.asked != unset && it.asked <= at_;
      if (works && (stopping || (graph_.shutting_down != none_found && below_shutdown(n))))
        graph_.blockers.push_back(why_still_here(model_, n, at_));
    }
    std::ranges::stable_sort(graph_.blockers, {}, &blocker::since);
  }

  const trace_model& model_;
  const std::int64_t at_;
  wait_graph graph_;
};

} // namespace

blocker why_still_here(const trace_model& model, node_index n, std::int64_t at) {
  const auto& it = model.at(n);
  const auto s = model.state_at(n, at);
  const auto asked = it.asked != unset && it.asked <= at;
  blocker b{.node = n, .since = asked ? it.asked : it.started != unset ? it.started : it.created, .why = {}};
  if (it.kind == node_kind::resource || it.kind == node_kind::pool)
    b.why = s == state::releasing || s == state::stopping ? "is being released" : "is held";
  else if (it.kind == node_kind::actor)
    b.why = s == state::stopping ? "was told to stop" : "is up";
  else if (it.kind == node_kind::task)
    b.why = asked && it.unresponsive ? "was asked to stop and does not answer"
            : asked                  ? "was asked to stop"
            : s == state::ready      ? "waits for a worker"
            : s == state::suspended  ? "is suspended"
                                     : "runs";
  else
    b.why = asked ? "was asked to stop" : "is open";
  if (it.thread != 0 && !has_ended(s))
    b.why += " (thread " + std::to_string(it.thread) + ")";
  return b;
}

wait_graph waits_at(const trace_model& model, std::int64_t at) { return builder{model, at}.build(); }

} // namespace muster::trace_viewer
