/// Lives as spans.
#include "slices.hpp"

#include "causes.hpp"
#include "text.hpp"

#include <algorithm>

namespace muster::trace_viewer {

namespace {

/// Puts inner spans within outer ones, whatever moments a damaged trace holds.
class nest {
public:
  explicit nest(std::vector<span_of_life>& into) : into_{into} {}

  void put(std::string name, std::int64_t from, std::int64_t to, bool body = false) {
    if (from == unset)
      return;
    if (!into_.empty()) {
      from = std::max(from, into_.front().from);
      if (const auto limit = into_.front().to; limit != unset) {
        from = std::min(from, limit);
        to = to == unset ? limit : std::min(to, limit);
      }
    }
    if (to != unset)
      to = std::max(to, from);
    into_.push_back({std::move(name), from, to, body});
  }

private:
  std::vector<span_of_life>& into_;
};

void put_waits(const trace_model& model, const paths& where, node_index n, std::vector<span_of_life>& spans) {
  const auto body = std::ranges::find(spans, true, &span_of_life::body);
  if (body == spans.end())
    return;
  const auto floor = body->from;
  const auto ceiling = body->to;
  std::vector<std::int64_t> open; // ends of those that the next lies in
  for (const auto index : model.events_of(n)) {
    const auto* w = model.wait_at(index);
    if (w == nullptr)
      continue;
    const auto& began = model.event_at(w->began);
    auto from = std::max(began.time_ns, floor);
    auto to = w->ended == none_found ? INT64_MAX : model.event_at(w->ended).time_ns;
    while (!open.empty() && open.back() <= from)
      open.pop_back();
    to = std::min({to, ceiling == unset ? INT64_MAX : ceiling, open.empty() ? INT64_MAX : open.back()});
    if (from > to)
      continue;
    open.push_back(to);
    spans.push_back(
        {"waits for " + (w->target != none_found ? where.component(w->target) : escaped(model.text(began.text))), from,
         to == INT64_MAX ? unset : to, false});
  }
}

} // namespace

std::vector<span_of_life> spans_of(const trace_model& model, const paths& where, node_index n) {
  std::vector<span_of_life> spans;
  nest in{spans};
  const auto& it = model.at(n);
  const auto name = where.component(n);
  switch (it.kind) {
    case node_kind::task:
      in.put(name,
             it.created != unset   ? it.created
             : it.ready != unset   ? it.ready
             : it.started != unset ? it.started
                                   : it.ended,
             it.ended);
      if (spans.empty())
        break;
      if (it.ready != unset && it.created != unset && it.ready > it.created)
        in.put("held", it.created, it.ready);
      if (it.ready != unset && (it.started != unset || it.ended == unset))
        in.put("queued", it.ready, it.started != unset ? it.started : it.ended);
      in.put("runs", it.started, it.ended, true);
      put_waits(model, where, n, spans);
      break;
    case node_kind::actor: {
      std::int64_t up = unset;
      std::int64_t last = INT64_MIN;
      const auto close = [&](std::int64_t t) {
        if (up != unset)
          spans.push_back({name, up, t == unset ? unset : std::max(t, up), false});
        last = t == unset ? last : std::max(last, t);
        up = unset;
      };
      for (const auto e : model.events_of(n)) {
        const auto& what = model.event_at(e);
        if (what.kind == event_kind::actor_started || what.kind == event_kind::restart_done) {
          close(what.time_ns);
          up = std::max(what.time_ns, last);
        } else if (what.kind == event_kind::actor_ended) {
          close(what.time_ns);
        }
      }
      if (spans.empty() && up == unset && it.created != unset && !has_ended(it.last))
        up = it.created;
      close(unset);
      break;
    }
    default:
      in.put(name, it.created != unset ? it.created : it.ended, it.ended);
      if (!spans.empty() && (it.kind == node_kind::scope || it.kind == node_kind::manager))
        in.put("releases", it.ready, it.ended);
      if (!spans.empty() && it.kind == node_kind::resource)
        in.put("release", it.started, it.ended);
  }
  return spans;
}

bool is_point(const trace_model& model, event_index e) noexcept {
  const auto k = model.event_at(e).kind;
  return k == event_kind::note || (is_trouble(model, e) && k != event_kind::wait_ended);
}

event_index point_before(const trace_model& model, event_index e) noexcept {
  for (int step = 0; step < 16; ++step) {
    const auto& now = model.event_at(e);
    if (now.cause == 0 || now.cause >= now.sequence)
      return none_found;
    e = model.find_event(now.cause);
    if (e == none_found || is_point(model, e))
      return e;
  }
  return none_found;
}

} // namespace muster::trace_viewer
