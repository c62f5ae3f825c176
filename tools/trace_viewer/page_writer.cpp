/// Turning a trace into columns of numbers, and putting page and columns into one file.
#include "page_writer.hpp"

#include "packed_stream.hpp"
#include "page_files.hpp"

#include <muster/cancel.hpp>

#include <algorithm>
#include <array>
#include <ostream>

#include <nlohmann/json.hpp>

namespace muster::trace_viewer {

namespace {

using json = nlohmann::json;

/// True if `value` of such an event is the id of another node.
constexpr bool value_is_id(event_kind kind) noexcept {
  switch (kind) {
    using enum event_kind;
  case manager_created:
  case scope_created:
  case task_created:
  case task_skipped:
  case actor_started:
  case actor_start_failed:
  case resource_registered:
  case linked:
  case unlinked:
  case dependency:
  case wait_began:
  case exit_sent:
  case exit_received:
  case pool_created:
  case lease_granted:
  case lease_returned:
  case lease_reclaimed:
  case breaker_created:
  case breaker_refused:
  case breaker_permit_reclaimed: return true;
  default: return false;
  }
}

/// A `progress` value that JavaScript's numbers hold exactly.
std::int64_t narrow_progress(std::int64_t value) noexcept {
  auto total = static_cast<std::uint64_t>(value) >> 32U;
  auto done = static_cast<std::uint64_t>(value) & 0xFFFF'FFFFU;
  while (total >= std::uint64_t{1} << 26U || done >= std::uint64_t{1} << 26U) {
    total >>= 1U;
    done >>= 1U;
  }
  return static_cast<std::int64_t>(total << 26U | done);
}

/// Every id of the trace once, in rising order, without 0.
class node_numbers {
public:
  explicit node_numbers(const trace_data& trace) {
    for (const auto& e : trace.events) {
      add(e.subject);
      if (value_is_id(e.kind))
        add(static_cast<std::uint64_t>(e.value));
    }
    for (const auto& each : trace.alive) {
      add(each.id);
      add(each.parent);
    }
    for (const auto& each : trace.folded)
      add(each.scope);
    tidy();
  }
  [[nodiscard]] std::uint32_t of(std::uint64_t id) const noexcept {
    if (id == 0)
      return 0;
    return static_cast<std::uint32_t>(std::ranges::lower_bound(ids_, id) - ids_.begin()) + 1;
  }
  [[nodiscard]] const std::vector<std::uint64_t>& ids() const noexcept { return ids_; }

private:
  void add(std::uint64_t id) {
    if (id == 0)
      return;
    // Most ids come many times; tidying now and then keeps the list near the number of nodes.
    if (ids_.size() >= tidy_at_) {
      tidy();
      tidy_at_ = std::max(tidy_at_, ids_.size() * 2);
    }
    ids_.push_back(id);
  }
  void tidy() {
    std::ranges::sort(ids_);
    const auto rest = std::ranges::unique(ids_);
    ids_.erase(rest.begin(), rest.end());
  }

  std::vector<std::uint64_t> ids_;
  std::size_t tidy_at_ = 4096;
};

json names_of_kinds() {
  json names = json::object();
  for (std::uint16_t number = 0; number < 0x200; ++number)
    if (const auto name = to_string(static_cast<event_kind>(number)); name != "unknown")
      names[std::to_string(number)] = name;
  return names;
}

json header_of(const trace_data& trace, const node_numbers& nodes) {
  json alive = json::array();
  for (const auto& each : trace.alive)
    alive.push_back({nodes.of(each.id), nodes.of(each.parent), each.since_ns, each.text, static_cast<int>(each.kind),
                     each.state, each.restarts});
  json folded = json::array();
  for (const auto& each : trace.folded)
    folded.push_back({nodes.of(each.scope), each.state, each.count});
  json problems = json::array();
  for (const auto& each : trace.problems)
    problems.push_back({{"offset", each.offset}, {"what", each.what}});
  json reasons = json::array();
  for (const auto kind : {cancel_kind::user, cancel_kind::timeout, cancel_kind::sibling_failed,
                          cancel_kind::parent_cancelled, cancel_kind::shutdown})
    reasons.push_back(to_string(kind));
  const auto begins = trace.events.empty() ? trace.snapshot_ns : trace.events.front().time_ns;
  return {{"version", {trace.major, trace.minor}},
          {"pid", trace.pid},
          {"program", trace.program},
          {"beginsNs", begins},
          {"beginsWallMs", static_cast<double>(trace.wall_anchor_ns + (begins - trace.clock_anchor_ns)) / 1e6},
          {"wallKnown", trace.wall_anchor_ns != 0},
          {"workers", trace.workers},
          {"endedCleanly", trace.ended_cleanly},
          {"copied", trace.copied},
          {"live", trace.live},
          {"events", trace.events.size()},
          {"nodes", nodes.ids().size()},
          {"snapshotNs", trace.snapshot_ns},
          {"eventsDropped", trace.events_dropped},
          {"stringsDropped", trace.strings_dropped},
          {"unknownKinds", trace.unknown_kinds},
          {"torn", trace.torn},
          {"kinds", names_of_kinds()},
          {"reasons", std::move(reasons)},
          {"alive", std::move(alive)},
          {"folded", std::move(folded)},
          {"problems", std::move(problems)},
          {"texts", trace.texts}};
}

void put_causes(const std::vector<event>& events, packed_stream& out) {
  for (std::size_t at = 0; at < events.size(); ++at) {
    const auto cause = events[at].cause;
    if (cause == 0) {
      out.put_number(0);
      continue;
    }
    // A cause is older than its effect, so it is looked for before it.
    const auto end = events.begin() + static_cast<std::ptrdiff_t>(at);
    const auto found = std::lower_bound(events.begin(), end, cause,
                                        [](const event& e, std::uint64_t wanted) { return e.sequence < wanted; });
    const bool kept = found != end && found->sequence == cause;
    out.put_number(kept ? static_cast<std::uint64_t>(end - found) + 1 : 1);
  }
}

std::int64_t shown_value(const event& e, const node_numbers& nodes) noexcept {
  if (value_is_id(e.kind))
    return nodes.of(static_cast<std::uint64_t>(e.value));
  return e.kind == event_kind::progress ? narrow_progress(e.value) : e.value;
}

/// Differences of what a damaged file holds may not fit; they wrap, here as in the browser.
std::int64_t difference(std::uint64_t now, std::uint64_t before) noexcept {
  return static_cast<std::int64_t>(now - before);
}

void put_columns(const trace_data& trace, const node_numbers& nodes, packed_stream& out) {
  const auto& events = trace.events;
  std::uint64_t before = 0;
  for (const auto& e : events) {
    out.put_number(e.sequence - before);
    before = e.sequence;
  }
  before = events.empty() ? 0 : static_cast<std::uint64_t>(events.front().time_ns);
  for (const auto& e : events) {
    out.put_signed(difference(static_cast<std::uint64_t>(e.time_ns), before));
    before = static_cast<std::uint64_t>(e.time_ns);
  }
  before = 0;
  for (const auto& e : events) {
    const auto node = nodes.of(e.subject);
    out.put_signed(difference(node, before));
    before = node;
  }
  put_causes(events, out);
  for (const auto& e : events)
    out.put_signed(shown_value(e, nodes));
  for (const auto& e : events)
    out.put_number(e.text);
  for (const auto& e : events)
    out.put_number(static_cast<std::uint16_t>(e.kind));
  for (const auto& e : events)
    out.put_number(e.thread);
  before = 0;
  for (const auto id : nodes.ids()) {
    out.put_number(id - before);
    before = id;
  }
}

std::string_view part(std::string_view text, std::string_view from, std::string_view to) noexcept {
  const auto begin = from.empty() ? 0 : text.find(from) + from.size();
  return text.substr(begin, to.empty() ? text.npos : text.find(to) - begin);
}

} // namespace

void write_page(const trace_data& trace, std::ostream& out) {
  constexpr std::string_view style = "/*{style}*/";
  constexpr std::string_view data = "{data}";
  constexpr std::string_view script = "/*{script}*/";
  const auto frame = page_files::frame;

  out << part(frame, "", style);
  for (const auto file : page_files::styles)
    out << file;
  out << part(frame, style, data);

  const node_numbers nodes{trace};
  // Replaces what is not UTF-8, and leaves nothing but ASCII.
  const auto header = header_of(trace, nodes).dump(-1, ' ', true, json::error_handler_t::replace);
  packed_stream packed{out};
  const auto length = static_cast<std::uint32_t>(header.size());
  std::array<char, 4> prefix{};
  for (std::size_t i = 0; i < prefix.size(); ++i)
    prefix[i] = static_cast<char>(length >> (8 * i) & 0xFFU);
  packed.put({prefix.data(), prefix.size()});
  packed.put(header);
  put_columns(trace, nodes, packed);
  packed.finish();

  out << part(frame, data, script);
  for (const auto file : page_files::scripts)
    out << file;
  out << part(frame, script, "");
}

} // namespace muster::trace_viewer
