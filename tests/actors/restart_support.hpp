/// A supervisor's crew for tests of the restart machine: children with one letter each, on a clock of the test's own.
#pragma once

#include "restart_machine.hpp"

#include "../catch.hpp"

#include <chrono>
#include <map>
#include <string>
#include <string_view>

namespace muster_test {

using namespace std::chrono_literals;
using muster::auto_shutdown;
using muster::child_kind;
using muster::child_state;
using muster::restart_machine;
using muster::restart_strategy;
using answer = restart_machine::answer;
using command = restart_machine::command;

/// What the machine is told and answers. Commands are written "start b2", "stop c1", "forget d", "give up", "end".
class crew {
public:
  explicit crew(const muster::restart& policy, std::string_view permanent = {}) : m{policy} { add(permanent); }

  void add(std::string_view names, child_kind kind = child_kind::permanent, bool significant = false) {
    for (const char who : names) {
      m.added(id(who), kind, significant);
      latest_[who] = 1;
    }
  }

  // The latest incarnation of a child …
  void fails(char who) { gone(who, latest_[who], true); }
  void ends(char who) { gone(who, latest_[who], false); }
  void ready(char who) { m.started(id(who), latest_[who], now); }
  void not_ready(char who) { m.start_failed(id(who), latest_[who], "no luck", now); }
  // … or any.
  void gone(char who, std::uint64_t which, bool abnormal) {
    m.ended(id(who), which, abnormal, abnormal ? "broken" : "", now);
  }

  answer restart(char who) { return m.restart_child(id(who), now); }
  answer stop(char who) { return m.stop_child(id(who)); }
  answer remove(char who) { return m.remove_child(id(who)); }

  /// What is to be done now, without doing it.
  std::string said() {
    std::string all;
    while (auto c = take())
      add_to(all, *c);
    return all;
  }
  /// The first of that alone.
  std::string one() {
    std::string all;
    if (auto c = take())
      add_to(all, *c);
    return all;
  }
  /// What is to be done now and, as each is done at once and with success, after that.
  std::string obeyed() {
    std::string all;
    while (auto c = take()) {
      add_to(all, *c);
      const auto who = static_cast<char>(c->who);
      if (c->what == command::kind::stop)
        gone(who, c->which, false);
      else if (c->what == command::kind::start)
        m.started(c->who, c->which, now);
    }
    return all;
  }
  /// The states of these children, a letter each: S(tarting) r(unning) s(topping) w(aiting) -(stopped) and ' ' unknown.
  std::string states(std::string_view names) const {
    std::string all;
    for (const char who : names)
      all += m.knows(id(who)) ? "Srsw-"[static_cast<int>(m.state(id(who)))] : ' ';
    return all;
  }
  static std::uint64_t id(char who) { return static_cast<unsigned char>(who); }

  restart_machine m;
  muster::time_point now{1h};

private:
  std::optional<command> take() {
    auto c = m.next(now);
    if (c && c->what == command::kind::start)
      latest_[static_cast<char>(c->who)] = c->which;
    return c;
  }
  static void add_to(std::string& all, const command& c) {
    static constexpr const char* verbs[] = {"start ", "stop ", "forget ", "give up", "end"};
    if (!all.empty())
      all += ", ";
    all += verbs[static_cast<int>(c.what)];
    if (c.who != 0)
      all += static_cast<char>(c.who);
    if (c.which != 0)
      all += std::to_string(c.which);
  }

  std::map<char, std::uint64_t> latest_;
};

/// A policy that does not give up easily.
inline muster::restart patient(restart_strategy strategy, muster::backoff delay = {}) {
  return {.strategy = strategy, .max_restarts = 100, .within = 1h, .delay = delay};
}

} // namespace muster_test
