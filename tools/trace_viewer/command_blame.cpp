/// `muster-trace blame`: the chain of causes behind a failure or cancellation, its root first.
#include "causes.hpp"
#include "command.hpp"
#include "text.hpp"

namespace muster::trace_viewer {

namespace {

/// The node that the request is about; without a path the first that failed or timed out, in the order of time.
[[nodiscard]] std::expected<node_index, std::string> asked_about(const trace_model& model, const paths& where,
                                                                 const request& what) {
  if (!what.path.empty())
    return where.resolve(what.path);
  node_index first = none_found;
  for (node_index n = 0; n < model.nodes().size(); ++n)
    if (const auto& it = model.at(n); is_bad(it.last) && it.end_event != none_found &&
                                      (first == none_found || it.end_event < model.at(first).end_event))
      first = n;
  return first;
}

} // namespace

answer run_blame(const trace_model& model, const request& what, output& out) {
  const paths where{model};
  const auto about = asked_about(model, where, what);
  if (!about)
    return std::unexpected{about.error()};
  if (*about == none_found) {
    out.write(what.json               ? "{\"chain\": []}\n"
              : model.nodes().empty() ? "the trace is empty\n"
                                      : "nothing failed, so there is nothing to blame\n");
    return 0;
  }
  const auto& it = model.at(*about);
  const auto last = trouble_of(model, *about);
  const auto chain = last == none_found ? cause_chain{} : chain_to(model, last);
  const auto from = chain.events.empty() ? 0 : std::min(chain.first_trouble, chain.events.size() - 1);

  if (what.json) {
    json all{{"path", where.text(*about)},
             {"kind", to_string(it.kind)},
             {"state", to_string(it.last)},
             {"chain", json::array()}};
    for (std::size_t i = 0; i < chain.events.size(); ++i) {
      const auto& e = model.event_at(chain.events[i]);
      json step{{"sequence", e.sequence},  {"time_ns", e.time_ns}, {"kind", to_string(e.kind)}, {"cause", e.cause},
                {"trouble", i >= from},
                {"sentence", sentence_of(model, where, chain.events[i], i > 0 ? chain.events[i - 1] : none_found)}};
      if (const auto n = model.find(e.subject); n != none_found)
        step["path"] = where.text(n);
      all["chain"].push_back(std::move(step));
    }
    if (chain.missing_sequence != 0)
      all["missing_sequence"] = chain.missing_sequence;
    out.write(dump(all) + "\n");
    return 0;
  }

  if (last == none_found) {
    out.print("{}: {}; nothing went wrong with it{}\n", where.with_kind(*about), to_string(it.last),
              model.begins_in_the_middle() ? ", as far as was kept" : "");
    return 0;
  }
  out.print("{}: {}\n", paint(what, tone::strong, where.with_kind(*about)),
            paint(what, tone_of(it.last), to_string(it.last)));
  if (chain.missing_sequence != 0)
    out.write(paint(what, tone::warn,
                    fmt::format("  The chain is cut here: its earlier part, from event {} back, was overwritten.\n",
                                chain.missing_sequence)));
  // What came before the trouble began is an ordinary life, of which the last two steps say enough.
  for (auto i = what.all || from < 2 ? 0 : from - 2; i < from; ++i)
    out.write(paint(what, tone::dim,
                    fmt::format("     {}  {}", moment_text(model.since_begin(model.event_at(chain.events[i]).time_ns)),
                                sentence_of(model, where, chain.events[i]))) +
              "\n");
  for (auto i = from; i < chain.events.size(); ++i)
    out.print("{:>3}. {}  {}\n", i - from + 1, moment_text(model.since_begin(model.event_at(chain.events[i]).time_ns)),
              sentence_of(model, where, chain.events[i], i > 0 ? chain.events[i - 1] : none_found));
  return 0;
}

} // namespace muster::trace_viewer
