/// Folding the tree.
#include "tree_rows.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

namespace muster::trace_viewer {

namespace {

constexpr std::size_t few_siblings = 8; ///< so many are shown one by one
constexpr std::size_t few_odd = 3;      ///< so many of a group are shown beside its row

class folder {
public:
  folder(const trace_model& model, const tree_options& options) : model_{model}, options_{options} {}

  std::vector<tree_row> rows() {
    look_below();
    for (const auto& f : model_.data().folded)
      if (const auto scope = model_.find(f.scope); scope != none_found)
        folded_tasks_[scope].add(f.state <= 1 ? state::waiting : f.state == 2 ? state::ready : state::running, f.count);
    std::vector<node_index> top{model_.roots().begin(), model_.roots().end()};
    if (options_.root != none_found)
      top = {options_.root};
    std::vector<tree_row> open; // a stack: the next row at the back
    unfold(top, none_found, 0, open);
    std::vector<tree_row> all;
    while (!open.empty()) {
      all.push_back(std::move(open.back()));
      open.pop_back();
      if (const auto n = all.back().node; n != none_found) {
        const auto depth = all.back().depth + 1;
        unfold(model_.children(n), n, depth, open);
      }
    }
    return all;
  }

private:
  [[nodiscard]] bool bad_itself(node_index n) const {
    const auto& it = model_.at(n);
    const auto s = model_.state_at(n, options_.at);
    return is_bad(s) || s == state::down || (it.unresponsive && s != state::unborn);
  }

  /// Sizes of subtrees, and where something bad is.
  void look_below() {
    const auto order = preorder(model_);
    below_.assign(model_.nodes().size(), 0);
    bad_.assign(model_.nodes().size(), false);
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
      if (bad_itself(*at))
        bad_[*at] = true;
      const auto above = model_.at(*at).parent;
      if (above == none_found)
        continue;
      below_[above] += below_[*at] + 1;
      if (bad_[*at])
        bad_[above] = true;
    }
  }

  [[nodiscard]] const std::string& stem(std::uint32_t text) {
    auto& known = stems_[text];
    if (known.empty())
      known = text == 0 ? "?" : stem_of(escaped(model_.text(text)));
    return known;
  }

  /// One that a reader would look for in a crowd.
  [[nodiscard]] bool odd(node_index n) const {
    const auto s = model_.state_at(n, options_.at);
    return bad_[n] || (!has_ended(s) && s != state::waiting && s != state::ready && s != state::unknown);
  }

  /// Puts rows for `siblings` on the stack, the first on top.
  void unfold(std::span<const node_index> siblings, node_index parent, std::size_t depth, std::vector<tree_row>& open) {
    std::vector<tree_row> rows;
    std::vector<node_index> there;
    for (const auto n : siblings)
      if (model_.state_at(n, options_.at) != state::unborn && (!options_.failed || bad_[n]))
        there.push_back(n);
    if (there.size() <= few_siblings || options_.all) {
      for (const auto n : there)
        rows.push_back({.node = n});
    } else {
      group(there, rows);
    }
    if (const auto found = folded_tasks_.find(parent);
        parent != none_found && found != folded_tasks_.end() && !options_.failed)
      rows.push_back({.kind = node_kind::task, .stem = "task", .states = found->second, .from_snapshot = true});
    for (auto& row : rows) {
      row.depth = depth;
      row.parent = parent;
    }
    if (!rows.empty())
      rows.back().last = true;
    open.insert(open.end(), std::make_move_iterator(rows.rbegin()), std::make_move_iterator(rows.rend()));
  }

  void group(const std::vector<node_index>& there, std::vector<tree_row>& rows) {
    struct crowd {
      std::vector<node_index> members;
      std::size_t odd = 0;
    };
    std::unordered_map<std::string, std::size_t> known; // stem and kind: which crowd
    std::unordered_map<std::uint64_t, std::size_t> by_text;
    std::vector<crowd> crowds;
    for (const auto n : there) {
      const auto& it = model_.at(n);
      const auto leaf = model_.children(n).empty();
      const auto key = std::uint64_t{it.name} << 8U | static_cast<std::uint64_t>(it.kind) << 1U | (leaf ? 1U : 0U);
      auto found = by_text.find(key);
      if (found == by_text.end()) {
        const auto which =
            known.emplace(fmt::format("{}{}{}", static_cast<int>(it.kind), leaf, stem(it.name)), crowds.size())
                .first->second;
        if (which == crowds.size())
          crowds.emplace_back();
        found = by_text.emplace(key, which).first;
      }
      auto& in = crowds[found->second];
      in.members.push_back(n);
      in.odd += odd(n);
    }
    for (const auto& c : crowds) {
      if (c.members.size() <= few_odd) {
        for (const auto n : c.members)
          rows.push_back({.node = n});
        continue;
      }
      const bool apart = c.odd <= few_odd;
      tree_row folded{.kind = model_.at(c.members.front()).kind};
      std::uint64_t same_name = 0;
      for (const auto n : c.members) {
        if (apart && odd(n)) {
          rows.push_back({.node = n});
          continue;
        }
        const auto s = model_.state_at(n, options_.at);
        folded.states.add(s);
        folded.below += below_[n];
        if (folded.example == none_found && bad_[n])
          folded.example = n;
        same_name += model_.at(n).name == model_.at(c.members.front()).name;
      }
      if (folded.states.sum() == 0)
        continue;
      const auto text = model_.at(c.members.front()).name;
      folded.stem = same_name == folded.states.sum() && text != 0 ? model_.name(c.members.front()) : stem(text);
      rows.push_back(std::move(folded));
    }
  }

  const trace_model& model_;
  const tree_options& options_;
  std::vector<std::uint64_t> below_;
  std::vector<bool> bad_; ///< it or one below it
  std::unordered_map<std::uint32_t, std::string> stems_;
  std::unordered_map<node_index, tally> folded_tasks_;
};

} // namespace

std::uint64_t tally::sum() const noexcept {
  std::uint64_t all = 0;
  for (const auto n : of)
    all += n;
  return all;
}

std::string tally::text() const {
  std::string all;
  const auto add = [&](state s) {
    if (const auto n = (*this)[s]; n != 0)
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", count_text(n), to_string(s));
  };
  for (auto s = static_cast<std::size_t>(state::ok); s < of.size(); ++s)
    add(static_cast<state>(s));
  for (std::size_t s = 0; s < static_cast<std::size_t>(state::ok); ++s)
    add(static_cast<state>(s));
  return all;
}

std::vector<node_index> preorder(const trace_model& model) {
  std::vector<node_index> order;
  order.reserve(model.nodes().size());
  std::vector<node_index> open{model.roots().rbegin(), model.roots().rend()};
  while (!open.empty()) {
    const auto n = open.back();
    open.pop_back();
    order.push_back(n);
    const auto below = model.children(n);
    open.insert(open.end(), below.rbegin(), below.rend());
  }
  return order;
}

std::vector<tree_row> tree_rows(const trace_model& model, const tree_options& options) {
  return folder{model, options}.rows();
}

} // namespace muster::trace_viewer
