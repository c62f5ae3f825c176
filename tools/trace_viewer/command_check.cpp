/// `muster-trace check`: whether the trace is whole, and what is missing from it.
///
/// A trace of a process that was killed, or whose rings have wrapped, is whole: what is open or was overwritten is
/// told.
#include "command.hpp"
#include "text.hpp"

namespace muster::trace_viewer {

answer run_check(const trace_model& model, const request& what, output& out) {
  const auto& data = model.data();
  std::uint64_t open = 0;
  std::uint64_t beginnings = 0;
  for (const auto& n : model.nodes()) {
    open += n.last != state::unknown && !has_ended(n.last) && n.kind != node_kind::breaker;
    beginnings += n.created == unset;
  }
  std::uint64_t causes = 0;
  std::uint64_t texts = 0;
  for (const auto& e : data.events) {
    causes += e.cause != 0 && model.find_event(e.cause) == none_found;
    texts += e.text != 0 && e.text >= data.texts.size();
  }
  const bool damaged = !data.problems.empty() || texts != 0;
  if (what.json) {
    json all{{"whole", !damaged},
             {"version", fmt::format("{}.{}", data.major, data.minor)},
             {"events", data.events.size()},
             {"texts", data.texts.empty() ? 0 : data.texts.size() - 1},
             {"ended_cleanly", data.ended_cleanly},
             {"live", data.live},
             {"copied", data.copied},
             {"events_dropped", data.events_dropped},
             {"strings_dropped", data.strings_dropped},
             {"torn", data.torn},
             {"unknown_kinds", data.unknown_kinds},
             {"open", open},
             {"without_beginning", beginnings},
             {"causes_missing", causes},
             {"problems", json::array()}};
    for (const auto& p : data.problems)
      all["problems"].push_back({{"offset", p.offset}, {"what", p.what}});
    out.write(dump(all) + "\n");
    return damaged ? 1 : 0;
  }
  sentence(out, what,
           fmt::format("{}: version {}.{}, {}, {}",
                       damaged ? paint(what, tone::bad, "damaged") : paint(what, tone::good, "whole"), data.major,
                       data.minor, counted(data.events.size(), "event"),
                       counted(data.texts.empty() ? 0 : data.texts.size() - 1, "text")));
  if (data.live)
    sentence(out, what, "  the process is still running");
  else if (data.copied)
    sentence(out, what, "  it was written while the process went on");
  else if (!data.ended_cleanly)
    sentence(out, what, "  the process did not end cleanly: it was killed, or has crashed");
  const auto tell = [&](std::uint64_t n, std::string_view noun, std::string_view rest) {
    if (n != 0)
      sentence(out, what, fmt::format("  {} {}", counted(n, noun), rest));
  };
  tell(open, "node", "had not ended");
  tell(data.events_dropped, "event", "overwritten, or without a place when recorded");
  tell(beginnings, "node", "of which the beginning was overwritten");
  tell(causes, "event", "of which the cause was overwritten");
  tell(data.strings_dropped, "text", "for which there was no room");
  tell(data.torn, "record", "that was being written, left out");
  tell(data.unknown_kinds, "record", "of a kind that this program does not know, left out");
  tell(texts, "event", "with a text that is not in the file");
  for (const auto& p : data.problems)
    sentence(out, what,
             fmt::format("  {}{}", paint(what, tone::bad, escaped(p.what)),
                         p.offset != 0 ? fmt::format(" (at byte {})", p.offset) : ""));
  return damaged ? 1 : 0;
}

} // namespace muster::trace_viewer
