/// `muster-trace diff`: two runs, matched by path and order and never by id: what is new, gone, slower, failing.
#include "command.hpp"
#include "paths.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

#include <algorithm>
#include <unordered_map>

namespace muster::trace_viewer {

namespace {

/// For every node a number made from its path, in one pass; equal for equal paths.
[[nodiscard]] std::vector<std::uint64_t> path_numbers(const trace_model& model, const paths& where) {
  std::vector<std::uint64_t> numbers(model.nodes().size(), 0);
  const auto mix = [](std::uint64_t a, std::uint64_t b) {
    a = (a ^ b) * 0x9E37'79B9'7F4A'7C15U;
    a = (a ^ (a >> 29U)) * 0xBF58'476D'1CE4'E5B9U;
    return a ^ (a >> 32U);
  };
  const std::hash<std::string_view> hash;
  for (const auto n : preorder(model)) {
    const auto& it = model.at(n);
    const auto above = it.parent == none_found ? 0x243F'6A88'85A3'08D3U : numbers[it.parent];
    numbers[n] = mix(mix(mix(above, hash(model.text(it.name))), where.ordinal(n)), static_cast<std::uint64_t>(it.kind));
  }
  return numbers;
}

struct change {
  node_index before = none_found;
  node_index after = none_found;
  std::int64_t by = 0; ///< for what is slower or faster: ns
};

struct changes {
  std::vector<change> appeared, gone, failing, mended, slower, faster;
  std::uint64_t same = 0;
};

[[nodiscard]] changes compare(const trace_model& a, const trace_model& b, const paths& in_a, const paths& in_b,
                              const request& what) {
  changes found;
  const auto numbers_a = path_numbers(a, in_a);
  const auto numbers_b = path_numbers(b, in_b);
  std::unordered_map<std::uint64_t, node_index> of_a;
  of_a.reserve(numbers_a.size());
  for (node_index n = 0; n < numbers_a.size(); ++n)
    of_a.emplace(numbers_a[n], n);
  std::vector<bool> met(numbers_a.size(), false);
  for (node_index n = 0; n < numbers_b.size(); ++n) {
    const auto match = of_a.find(numbers_b[n]);
    if (match == of_a.end() || met[match->second]) {
      // Below something new everything is; its top says enough.
      const auto above = b.at(n).parent;
      if (above == none_found || of_a.contains(numbers_b[above]))
        found.appeared.push_back({none_found, n, 0});
      continue;
    }
    const auto old = match->second;
    met[old] = true;
    const auto was = a.at(old).last;
    const auto is = b.at(n).last;
    if (is_bad(is) && !is_bad(was)) {
      found.failing.push_back({old, n, 0});
      continue;
    }
    if (is_bad(was) && !is_bad(is)) {
      found.mended.push_back({old, n, 0});
      continue;
    }
    const auto took = a.duration_at(old, a.end_ns());
    const auto takes = b.duration_at(n, b.end_ns());
    const auto by = took == unset || takes == unset ? 0 : takes - took;
    const auto exceeds = [&](std::int64_t more, std::int64_t less) {
      return more - less >= what.slower_at_least &&
             static_cast<double>(more) >= what.slower_by * static_cast<double>(less);
    };
    if (by > 0 && exceeds(takes, took))
      found.slower.push_back({old, n, by});
    else if (by < 0 && exceeds(took, takes))
      found.faster.push_back({old, n, by});
    else
      ++found.same;
  }
  for (node_index n = 0; n < numbers_a.size(); ++n) {
    const auto above = a.at(n).parent;
    if (!met[n] && (above == none_found || met[above]))
      found.gone.push_back({n, none_found, 0});
  }
  std::ranges::stable_sort(found.slower, std::ranges::greater{}, &change::by);
  std::ranges::stable_sort(found.faster, {}, &change::by);
  return found;
}

} // namespace

answer run_diff(const trace_model& a, const trace_model& b, const request& what, output& out) {
  const paths in_a{a};
  const paths in_b{b};
  const auto found = compare(a, b, in_a, in_b, what);
  const auto path = [&](const change& c) {
    return c.after != none_found ? in_b.with_kind(c.after) : in_a.with_kind(c.before);
  };
  const auto times = [&](const change& c) {
    const auto took = a.duration_at(c.before, a.end_ns());
    const auto takes = b.duration_at(c.after, b.end_ns());
    return took > 0 ? fmt::format("{} → {} (×{:.2f})", duration_text(took), duration_text(takes),
                                  static_cast<double>(takes) / static_cast<double>(took))
                    : fmt::format("{} → {}", duration_text(took), duration_text(takes));
  };
  const auto states = [&](const change& c) {
    return fmt::format("{} → {}", to_string(a.at(c.before).last), to_string(b.at(c.after).last));
  };
  const auto error = [&](const change& c) {
    const auto end = b.at(c.after).end_event;
    const auto text = end == none_found ? std::string{} : escaped(b.text(b.event_at(end).text));
    return states(c) + (text.empty() ? "" : "  " + text);
  };
  const auto nothing = [](const change&) { return std::string{}; };

  json all{{"same", found.same}};
  bool differs = false;
  const auto section = [&](const char* name, tone how, const std::vector<change>& list, auto detail) {
    if (what.json) {
      auto items = json::array();
      for (const auto& c : list) {
        json one{{"path", c.after != none_found ? in_b.text(c.after) : in_a.text(c.before)}};
        if (c.before != none_found && c.after != none_found) {
          one["before"] = to_string(a.at(c.before).last);
          one["after"] = to_string(b.at(c.after).last);
          if (c.by != 0) {
            one["before_ns"] = a.duration_at(c.before, a.end_ns());
            one["after_ns"] = b.duration_at(c.after, b.end_ns());
          }
        }
        items.push_back(std::move(one));
      }
      all[name] = std::move(items);
      return;
    }
    if (list.empty())
      return;
    differs = true;
    out.print("{} ({})\n", paint(what, how, name), count_text(list.size()));
    const auto most = what.all ? SIZE_MAX : std::max<std::size_t>(what.top, 1);
    for (std::size_t i = 0; i < list.size() && i < most; ++i) {
      const auto more = detail(list[i]);
      line(out, what, fmt::format("  {}{}{}", path(list[i]), more.empty() ? "" : "  ", more));
    }
    if (list.size() > most)
      out.print("  … and {} more (--all shows them)\n", count_text(list.size() - most));
  };
  section("failing", tone::bad, found.failing, error);
  section("slower", tone::warn, found.slower, times);
  section("new", tone::strong, found.appeared, nothing);
  section("gone", tone::strong, found.gone, nothing);
  section("mended", tone::good, found.mended, states);
  section("faster", tone::good, found.faster, times);
  if (what.json)
    out.write(dump(all) + "\n");
  else if (!differs)
    out.print("no difference in {}\n", counted(found.same, "node"));
  else
    out.print("{} the same\n", counted(found.same, "node"));
  return 0;
}

} // namespace muster::trace_viewer
