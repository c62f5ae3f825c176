/// Walking from the end of a scope back to its beginning.
///
/// One cursor goes back in time. In a scope it looks for the child whose end was the last before it (the join edge); in
/// a body for the task or scope that the body waited for and that ended last (a join edge too). A task it follows
/// through its body, its time in the queue and its time held back to the dependency that ended last, else to its
/// creation (the spawn edge), and from there on in whatever created it; one that was cancelled, to the task that
/// brought the cancellation about. Every node is entered once, so the walk ends.
#include "critical.hpp"

#include "causes.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace muster::trace_viewer {

namespace {

class walker {
public:
  explicit walker(const trace_model& model) : model_{model} {
    for (const auto& w : model.waits()) {
      if (w.target == none_found || w.ended == none_found)
        continue;
      waited_for_.insert(w.target);
      if (w.who != none_found)
        waits_[w.who].push_back(&w);
    }
  }

  std::vector<path_step> walk(node_index scope) {
    floor_ = model_.at(scope).created;
    cursor_ = end_of(scope);
    if (floor_ == unset || cursor_ <= floor_)
      return {};
    enter(scope);
    while (cursor_ > floor_ && here_ != none_found)
      go_on();
    put(scope, step_kind::open, floor_);
    std::ranges::reverse(steps_);
    return std::move(steps_);
  }

private:
  [[nodiscard]] std::int64_t end_of(node_index n) const {
    const auto& it = model_.at(n);
    return it.ended == unset ? model_.end_ns() : it.ended;
  }

  /// The time down to `from` is of this kind.
  void put(node_index n, step_kind kind, std::int64_t from) {
    from = std::max(from, floor_);
    if (from >= cursor_)
      return;
    if (!steps_.empty() && steps_.back().node == n && steps_.back().kind == kind)
      steps_.back().from = from;
    else
      steps_.push_back({n, kind, from, cursor_});
    cursor_ = from;
  }

  /// The cursor is at the end of `n`.
  void enter(node_index n) {
    here_ = n;
    entered_.insert(n);
    const auto& it = model_.at(n);
    if (it.kind == node_kind::task) {
      if (const auto culprit = who_cancelled(n); culprit != none_found) {
        put(n, step_kind::stops, it.asked);
        enter(culprit);
      }
      return;
    }
    if (it.ready != unset)
      put(n, step_kind::release, it.ready);
    at_end_ = true;
  }

  /// The other task whose failure, or being unresponsive, had this one cancelled.
  [[nodiscard]] node_index who_cancelled(node_index n) const {
    const auto& it = model_.at(n);
    if (it.last != state::cancelled || it.asked == unset || it.end_event == none_found)
      return none_found;
    const auto chain = chain_to(model_, it.end_event);
    for (auto e = chain.events.rbegin(); e != chain.events.rend(); ++e) {
      const auto& what = model_.event_at(*e);
      if (what.kind != event_kind::failure && what.kind != event_kind::unresponsive)
        continue;
      const auto who = model_.find(what.subject);
      if (who != none_found && who != n && model_.at(who).kind == node_kind::task && !entered_.contains(who) &&
          end_of(who) <= cursor_)
        return who;
    }
    return none_found;
  }

  void go_on() {
    const auto n = here_;
    const bool task = model_.at(n).kind == node_kind::task;
    const auto next = task ? last_waited(n) : last_child(n);
    at_end_ = false;
    if (next != none_found) {
      put(n, task ? step_kind::runs : step_kind::ending, end_of(next));
      enter(next);
      return;
    }
    if (task)
      begin_of_task(n);
    else
      put(n, step_kind::open, model_.at(n).created == unset ? floor_ : model_.at(n).created);
    if (here_ == n)
      here_ = model_.at(n).parent;
  }

  /// Back over the body, the queue and being held, to the last dependency or to the creation.
  void begin_of_task(node_index n) {
    const auto& it = model_.at(n);
    if (it.started != unset)
      put(n, step_kind::runs, it.started);
    if (it.ready != unset)
      put(n, step_kind::queued, it.ready);
    node_index behind = none_found;
    for (const auto d : model_.dependencies(n))
      if (end_of(d) <= cursor_ && !entered_.contains(d) && (behind == none_found || end_of(d) > end_of(behind)))
        behind = d;
    if (behind != none_found) {
      put(n, step_kind::held, end_of(behind));
      enter(behind);
    } else {
      put(n, step_kind::held, it.created == unset ? floor_ : it.created);
    }
  }

  [[nodiscard]] node_index last_child(node_index scope) {
    auto [found, made] = by_end_.try_emplace(scope);
    auto& order = found->second;
    if (made) {
      for (const auto c : model_.children(scope))
        if (const auto k = model_.at(c).kind; k == node_kind::task || k == node_kind::scope)
          order.push_back(c);
      std::ranges::stable_sort(order, {}, [&](node_index n) { return end_of(n); });
    }
    while (!order.empty()) {
      const auto n = order.back();
      order.pop_back();
      // Before the end of the scope only what somebody waited for can have held up what came next.
      if (end_of(n) <= cursor_ && !entered_.contains(n) && (at_end_ || waited_for_.contains(n)))
        return n;
    }
    return none_found;
  }

  [[nodiscard]] node_index last_waited(node_index task) {
    auto& waits = waits_[task];
    while (!waits.empty()) {
      const auto& w = *waits.back();
      waits.pop_back();
      const auto kind = model_.at(w.target).kind;
      if (end_of(w.target) <= cursor_ && model_.event_at(w.ended).time_ns <= cursor_ &&
          end_of(w.target) >= model_.event_at(w.began).time_ns && !entered_.contains(w.target) &&
          (kind == node_kind::task || kind == node_kind::scope))
        return w.target;
    }
    return none_found;
  }

  const trace_model& model_;
  std::unordered_map<node_index, std::vector<const wait*>> waits_; ///< of each body, the last one at the back
  std::unordered_set<node_index> waited_for_;
  std::unordered_map<node_index, std::vector<node_index>> by_end_;
  std::unordered_set<node_index> entered_;
  std::vector<path_step> steps_;
  std::int64_t cursor_ = 0;
  std::int64_t floor_ = 0;
  node_index here_ = none_found;
  bool at_end_ = false;
};

} // namespace

std::vector<path_step> critical_path(const trace_model& model, node_index scope) { return walker{model}.walk(scope); }

} // namespace muster::trace_viewer
