/// The hand-made traces.
#include "scenes.hpp"

#include <muster/event_kind.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace page_scenes {

namespace {

using muster::event_kind;

/// Writes a trace event by event, microseconds apart.
class scribe {
public:
  scribe() { trace_.texts.emplace_back(); }
  std::uint64_t say(event_kind kind, std::uint64_t who, std::int64_t value = 0, std::string text = {},
                    std::uint64_t cause = 0) {
    return say_id(kind, who, value, text.empty() ? 0 : text_id(std::move(text)), cause);
  }
  std::uint64_t say_id(event_kind kind, std::uint64_t who, std::int64_t value, std::uint32_t text,
                       std::uint64_t cause) {
    // A step that varies, so that columns are no easier to pack than those of a real trace.
    random_ = random_ * 6364136223846793005U + 1442695040888963407U;
    time_ += 200 + static_cast<std::int64_t>(random_ >> 52U);
    trace_.events.push_back(
        {++sequence_, time_, who, cause, value, text, kind, static_cast<std::uint16_t>(1 + who % 4)});
    return sequence_;
  }
  std::uint32_t text_id(std::string text) {
    trace_.texts.push_back(std::move(text));
    return static_cast<std::uint32_t>(trace_.texts.size() - 1);
  }
  void starts_at(std::uint64_t sequence, std::int64_t time) {
    sequence_ = sequence;
    time_ = time;
  }
  [[nodiscard]] trace_data& trace() { return trace_; }
  [[nodiscard]] trace_data done() { return std::move(trace_); }

private:
  trace_data trace_;
  std::uint64_t sequence_ = 0;
  std::int64_t time_ = 5'000'000;
  std::uint64_t random_ = 1;
};

} // namespace

trace_data circle() {
  scribe s;
  s.trace().program = "circle";
  s.say(event_kind::manager_created, 1, 0, "site");
  s.say(event_kind::scope_created, 2, 1, "crew");
  for (const std::uint64_t who : {3U, 4U, 5U}) {
    s.say(event_kind::task_created, who, 2, std::string{"philosopher-"} + std::to_string(who));
    s.say(event_kind::task_ready, who);
    s.say(event_kind::task_started, who, 100 + static_cast<std::int64_t>(who));
  }
  s.say(event_kind::wait_began, 3, 4, "the outcome of philosopher-4");
  s.say(event_kind::wait_began, 5, 4, "the outcome of philosopher-4");
  s.say(event_kind::wait_began, 4, 3, "the outcome of philosopher-3");
  return s.done();
}

trace_data hostile() {
  scribe s;
  s.trace().program = "</title><script>window.broken=1</script>";
  s.trace().problems.push_back({17, "<img src=x onerror=\"window.broken=2\">"});
  s.say(event_kind::manager_created, 1, 0, "</script><script>window.broken=3</script>");
  s.say(event_kind::scope_created, 2, 1, "\"'><svg onload=window.broken=4>");
  const std::string names[] = {"<!-- --></textarea><b>bold</b>",       "tab\there\nnew line\x01\x1b[31mred",
                               "bad \xff\xfe\xc3( utf-8 \xed\xa0\x80", "right \u202Eot left\u202C\u200F\u2066",
                               "&lt;&amp;`${window.broken=5}`\\u0022", "javascript:window.broken=6",
                               std::string{"nul\0inside", 10},         "__proto__",
                               "שלום عالم 你好 🏗",        std::string(4000, 'x')};
  std::uint64_t id = 10;
  for (const auto& name : names) {
    s.say(event_kind::task_created, ++id, 2, name);
    const auto started = s.say(event_kind::task_started, id, 7);
    const auto failed = s.say(event_kind::failure, id, 16, "error of " + name, started);
    s.say(event_kind::task_ended, id, 1, "error of " + name, failed);
  }
  // What no writer writes, but a damaged file may say: own parents, unknown numbers, ends of time.
  s.say(event_kind::scope_created, 40, 41, "parent of its parent");
  s.say(event_kind::scope_created, 41, 40, "child of its child");
  s.say(event_kind::task_created, 42, 42, "its own parent");
  s.say(event_kind::task_ended, 42, -9'000'000'000'000'000'000, "end");
  s.say(static_cast<event_kind>(0x1ff), 42, 9'000'000'000'000'000'000);
  s.say(event_kind::progress, 42, static_cast<std::int64_t>(0x7fff'ffff'ffff'ffff));
  s.say(event_kind::wait_began, 42, static_cast<std::int64_t>(0xffff'ffff'ffff'fffe), "somebody far away");
  auto last = s.done();
  last.events.back().subject = 0xffff'ffff'ffff'ffff;
  last.alive.push_back(
      {.id = 50, .parent = 51, .since_ns = 1, .text = 1, .kind = muster::trace_viewer::node_kind::scope});
  last.folded.push_back({.scope = 50, .state = 99, .count = 12});
  return last;
}

trace_data crowd(std::size_t tasks) {
  scribe s;
  s.trace().program = "crowd";
  s.trace().events.reserve(tasks * 4 + 100);
  s.say(event_kind::manager_created, 1, 0, "site");
  const auto worker = s.text_id("worker");
  const auto error = s.text_id("the crane is out of order");
  constexpr std::uint64_t scopes = 20;
  for (std::uint64_t i = 0; i < scopes; ++i)
    s.say(event_kind::scope_created, 2 + i, 1, "batch-" + std::to_string(i));
  // Sixteen at a time, so that there is something to see.
  constexpr std::size_t at_once = 16;
  std::uint64_t id = 100;
  for (std::size_t done = 0; done < tasks; done += at_once) {
    const auto many = std::min(at_once, tasks - done);
    std::uint64_t events[at_once]{};
    const auto scope = static_cast<std::int64_t>(2 + done / at_once % scopes);
    for (std::size_t i = 0; i < many; ++i)
      events[i] = s.say_id(event_kind::task_created, id + i, scope, worker, 0);
    for (std::size_t i = 0; i < many; ++i)
      events[i] = s.say_id(event_kind::task_ready, id + i, 0, 0, events[i]);
    for (std::size_t i = 0; i < many; ++i)
      events[i] =
          s.say_id(event_kind::task_started, id + i, 1000 + static_cast<std::int64_t>((id + i) * 7 % 13), 0, events[i]);
    for (std::size_t i = 0; i < many; ++i) {
      const bool fails = (done + i) % 1000 == 999;
      s.say_id(event_kind::task_ended, id + i, fails ? 1 : 0, fails ? error : 0, events[i]);
    }
    id += many;
  }
  return s.done();
}

trace_data middle() {
  using muster::trace_viewer::node_kind;
  scribe s;
  s.starts_at(70'000, 90'000'000'000);
  auto& trace = s.trace();
  trace.program = "long runner";
  trace.live = true;
  trace.events_dropped = 69'990;
  trace.snapshot_ns = 90'000'000'000;
  trace.snapshot_sequence = 70'000;
  trace.alive = {{1, 0, 1'000, s.text_id("site"), node_kind::manager, 0, 0},
                 {2, 1, 2'000, s.text_id("orders"), node_kind::scope, 0, 0},
                 {3, 2, 80'000'000'000, s.text_id("order-812"), node_kind::task, 3, 0},
                 {4, 1, 5'000, s.text_id("mailer"), node_kind::actor, 0, 4}};
  trace.folded = {{2, 0, 1'200}, {2, 3, 31}};
  s.say(event_kind::task_ended, 900, 1, "overwritten beginnings", 69'000);
  s.say(event_kind::restart_decided, 4, 1, "one_for_one", 69'500);
  s.say(event_kind::restart_done, 4, 5, "mailer");
  s.say(event_kind::cancel_asked, 3, 1, "site/orders");
  return s.done();
}

trace_data empty() {
  trace_data trace;
  trace.texts.emplace_back();
  return trace;
}

std::optional<trace_data> by_name(std::string_view name) {
  if (name == "shop")
    return shop();
  if (name == "circle")
    return circle();
  if (name == "hostile")
    return hostile();
  if (name == "crowd")
    return crowd(10'000);
  if (name == "million")
    return crowd(250'000);
  if (name == "middle")
    return middle();
  if (name == "empty")
    return empty();
  return std::nullopt;
}

} // namespace page_scenes
