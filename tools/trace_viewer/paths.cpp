/// Putting paths together and finding nodes by them.
#include "paths.hpp"

#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace muster::trace_viewer {

namespace {

constexpr std::size_t most_suggested = 5;

/// Levenshtein's distance, at most `limit`.
[[nodiscard]] std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  if ((a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) >= limit)
    return limit;
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j)
      diagonal = std::exchange(row[j + 1], std::min({row[j + 1] + 1, row[j] + 1, diagonal + (a[i] == b[j] ? 0U : 1U)}));
  }
  return std::min(row.back(), limit);
}

} // namespace

void paths::count_siblings() const {
  ordinals_.assign(model_.nodes().size(), 0);
  std::vector<node_index> sorted;
  const auto count = [&](std::span<const node_index> siblings) {
    if (siblings.size() < 2)
      return;
    sorted.assign(siblings.begin(), siblings.end());
    std::ranges::stable_sort(sorted, {}, [&](node_index n) { return model_.at(n).name; });
    for (std::size_t from = 0, to = 0; from < sorted.size(); from = to) {
      const auto name = model_.at(sorted[from]).name;
      while (to < sorted.size() && model_.at(sorted[to]).name == name)
        ++to;
      if (to - from > 1 && name != 0) // those without a name are told apart by their ids
        for (auto k = from; k < to; ++k)
          ordinals_[sorted[k]] = static_cast<std::uint32_t>(k - from + 1);
    }
  };
  count(model_.roots());
  for (node_index n = 0; n < model_.nodes().size(); ++n)
    count(model_.children(n));
}

std::uint32_t paths::ordinal(node_index n) const {
  if (ordinals_.empty())
    count_siblings();
  return ordinals_[n];
}

std::string paths::component(node_index n) const {
  const auto which = ordinal(n);
  auto name = model_.name(n);
  if (which != 0)
    name += "#" + std::to_string(which);
  return name;
}

std::string paths::text(node_index n) const {
  if (n == none_found)
    return "a thread outside";
  std::vector<node_index> way;
  for (; n != none_found; n = model_.at(n).parent)
    way.push_back(n);
  std::string all;
  for (auto at = way.rbegin(); at != way.rend(); ++at)
    all += (all.empty() ? "" : "/") + component(*at);
  return all;
}

std::string paths::with_kind(node_index n) const {
  return n == none_found ? text(n) : std::string{to_string(model_.at(n).kind)} + " " + text(n);
}

std::vector<node_index> paths::matching(std::string_view wanted) const {
  struct step {
    node_index at;
    std::size_t used;
  };
  std::vector<node_index> found;
  std::vector<step> open;
  const auto look = [&](std::span<const node_index> among, std::size_t used) {
    const auto rest = wanted.substr(used);
    for (const auto n : among) {
      // A name may hold slashes itself, so parts are compared, not split.
      const auto name = model_.name(n);
      const auto which = rest.starts_with(name) ? ordinal(n) : 0;
      if (!rest.starts_with(name))
        continue;
      for (const auto& part : {name, which != 0 ? name + "#" + std::to_string(which) : std::string{}}) {
        if (part.empty() || !rest.starts_with(part))
          continue;
        if (rest.size() == part.size())
          found.push_back(n);
        else if (rest[part.size()] == '/')
          open.push_back({n, used + part.size() + 1});
      }
    }
  };
  look(model_.roots(), 0);
  while (!open.empty()) {
    const auto at = open.back();
    open.pop_back();
    look(model_.children(at.at), at.used);
  }
  std::ranges::sort(found);
  return found;
}

std::vector<node_index> paths::nearest(std::string_view wanted) const {
  const auto slash = wanted.rfind('/');
  const auto last = slash == std::string_view::npos ? wanted : wanted.substr(slash + 1);
  struct near {
    std::size_t distance;
    node_index which;
  };
  std::unordered_map<std::uint32_t, node_index> first_of;
  std::vector<near> found;
  const auto limit = std::max<std::size_t>(3, last.size() / 2 + 1);
  for (node_index n = 0; n < model_.nodes().size() && first_of.size() < 20'000; ++n)
    if (first_of.emplace(model_.at(n).name, n).second)
      if (const auto d = distance(last.substr(0, 256), std::string_view{model_.name(n)}.substr(0, 256), limit);
          d < limit)
        found.push_back({d, n});
  std::ranges::stable_sort(found, {}, &near::distance);
  if (found.size() > most_suggested)
    found.resize(most_suggested);
  std::vector<node_index> which;
  for (const auto& one : found)
    which.push_back(one.which);
  return which;
}

std::string paths::listed(const std::vector<node_index>& which) const {
  std::string all;
  for (std::size_t i = 0; i < which.size() && i < most_suggested; ++i)
    all += "\n  " + text(which[i]);
  if (which.size() > most_suggested)
    all += fmt::format("\n  and {} more", count_text(which.size() - most_suggested));
  return all;
}

std::expected<node_index, std::string> paths::resolve(std::string_view wanted) const {
  if (wanted.starts_with("id:")) {
    std::uint64_t id = 0;
    const auto [end, code] = std::from_chars(wanted.data() + 3, wanted.data() + wanted.size(), id);
    if (code == std::errc{} && end == wanted.data() + wanted.size())
      if (const auto n = model_.find(id); n != none_found)
        return n;
    return std::unexpected{fmt::format("there is no node with {}", escaped(wanted))};
  }
  if (model_.nodes().empty())
    return std::unexpected{fmt::format("there is no '{}': the trace is empty", escaped(wanted))};
  while (wanted.size() > 1 && wanted.ends_with('/'))
    wanted.remove_suffix(1);
  auto found = matching(wanted);
  if (found.empty())
    for (node_index n = 0; n < model_.nodes().size(); ++n)
      if (const auto name = model_.name(n); wanted.ends_with(name) || wanted.find('#') != std::string_view::npos)
        if (const auto whole = text(n); whole == wanted || whole.ends_with("/" + std::string{wanted}))
          found.push_back(n);
  if (found.size() == 1)
    return found.front();
  if (found.size() > 1)
    return std::unexpected{fmt::format("'{}' is the path of {} nodes; say which:{}", escaped(wanted),
                                       count_text(found.size()), listed(found))};
  const auto near = nearest(wanted);
  return std::unexpected{fmt::format("there is no '{}' in this trace{}{}", escaped(wanted),
                                     near.empty() ? "" : "; did you mean", near.empty() ? "" : listed(near))};
}

} // namespace muster::trace_viewer
