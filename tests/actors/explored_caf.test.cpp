// Races at the border to CAF, explored: links and monitors, exit messages, child actors, requests.
#include <muster/caf.hpp>

#include "explored.hpp"

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

using namespace support;

namespace {

/// An actor that links to `whom` or monitors it, counts what it hears of its end, and then leaves. Neither keeps it
/// there.
[[nodiscard]] caf::actor watch(simulation& site, const caf::actor& whom, bool by_link, int& heard, std::string& text) {
  return muster::system_of(site).spawn([=, &heard, &text](caf::event_based_actor* self) -> caf::behavior {
    const auto hear = [self, &heard, &text](const caf::error& reason) {
      ++heard;
      text = reason ? caf::to_string(reason) : "normal";
      self->quit();
    };
    if (by_link) {
      self->set_exit_handler([hear](caf::exit_msg& exit) { hear(exit.reason); });
      self->link_to(whom);
    } else {
      self->set_down_handler([hear](caf::down_msg& down) { hear(down.reason); });
      self->monitor(whom);
    }
    return {[](int) {}};
  });
}

/// A child actor that leaves when it is told to: by itself, or as failed.
auto told_to_leave(int& ended) {
  return [&ended](caf::actor_system& system) -> caf::actor {
    return system.spawn([&ended](caf::event_based_actor* self) -> caf::behavior {
      self->attach_functor([&ended] { ++ended; });
      return {
          [self](bool well) { self->quit(well ? caf::error{} : caf::error{caf::sec::runtime_error}); }};
    });
  };
}

} // namespace

TEST_CASE("explored: actors that link to and monitor a task while it ends hear of it exactly once", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int heard[2] = {};
    std::string text[2];
    auto crew = site.create_scope("crew", {.on_failure = muster::isolate});
    auto task = crew.execute("worker", fails_at_once);
    const auto actor = muster::actor_of(task);
    const auto monitors = watch(site, actor, false, heard[0], text[0]);
    seen.saw(to_string(task.state()));
    const auto linked = watch(site, actor, true, heard[1], text[1]);
    const auto whole = crew.wait();
    site.run_for(0s); // messages between the application's actors come a little later
    return promised{}
        .that(!whole && task.get().failed(), "the task has failed")
        .that(heard[0] == 1 && contains(text[0], "broken"), "who monitors it hears of it once, with the text")
        .that(heard[1] == 1 && contains(text[1], "broken"), "who is linked to it too")
        .books(site, 1, 1);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ready", "running", "ending", "ended"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: an exit message against the start and the end of its task", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ran = 0;
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [&] { ++ran; });
    caf::anon_send_exit(muster::actor_of(task), caf::exit_reason::user_shutdown);
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(end.ok() && end.late() ? "late" : to_string(end.kind()));
    return promised{}
        .that(end.ok() || end.cancelled(), "the task is ok or cancelled")
        .that(ran == (end.ok() ? 1 : 0), "the body runs exactly if the task is ok")
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok", "late", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: kill sent to a scope against its end", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    auto crew = site.create_scope("crew");
    auto task = crew.execute("worker", [] { return 1; });
    caf::anon_send_exit(muster::actor_of(crew), caf::exit_reason::kill);
    const auto whole = crew.wait();
    seen.saw(std::string{to_string(task.get().kind())} + (whole ? " and fine" : ""));
    return promised{}
        .that(task.get().ok() || (task.get().cancelled() && !whole), "the task is ok, or cancelled and wait says so")
        .that(whole.has_value() || is(whole, errc::cancelled), "wait succeeds or says cancelled")
        .books(site, 1, task.get().ok() ? 1 : 0);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"ok and fine", "ok", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a child actor that leaves by itself or fails against its scope's cancel ends exactly once",
          "[caf]") {
  for (const bool well : {true, false}) {
    endings seen;
    const auto race = [&](simulation& site) -> verdict {
      int ended = 0;
      auto crew = site.create_scope("crew");
      const auto child = muster::spawn_actor(crew, {.name = "child"}, told_to_leave(ended));
      auto sibling = crew.execute("sibling", succeeds);
      if (!child)
        return std::unexpected{child.error()};
      caf::anon_send(*child, well);
      crew.cancel();
      const auto whole = crew.wait();
      seen.saw(whole ? "fine" : is(whole, errc::actor_exited) ? "failed" : "cancelled");
      return promised{}
          .that(ended == 1, "it ends once, and before the scope")
          .that(whole.has_value() || is(whole, errc::cancelled) || (!well && is(whole, errc::actor_exited)),
                "wait says how")
          .that(sibling.get().ok() || sibling.get().cancelled(), "its sibling is ok or cancelled")
          .that(site.stats().tasks_live == 0, "nobody is left");
    };
    CHECK(explore(seeds, race));
    CHECK(seen.missing({well ? "fine" : "failed", "cancelled"}) == lines{});
    CHECK(explore(by_priority(), race));
  }
}

TEST_CASE("explored: a child actor that is spawned while its scope is cancelled is stopped or refused", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ended = 0;
    int made = 0;
    muster::result<caf::actor> child;
    auto crew = site.create_scope("crew");
    const auto met = rivals(
        site, [&] { crew.cancel(); },
        [&] {
          child = muster::spawn_actor(crew, {.name = "child"}, [&](caf::actor_system& system) {
            ++made;
            return told_to_leave(ended)(system);
          });
        });
    const auto whole = crew.wait();
    seen.saw(child ? "stopped" : "refused");
    return promised{}
        .that(met.has_value() && is(whole, errc::cancelled), "the scope is cancelled")
        .that(child || child.error().code() == errc::scope_closed, "it is refused since that is so")
        .that(made == ended && made == (child ? 1 : made) && made <= 1, "whatever was made has left")
        .that(site.stats().tasks_live == 0, "nobody is left");
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"stopped", "refused"}) == lines{});
  CHECK(explore(by_priority(), race));
}

TEST_CASE("explored: a request's answer against the cancel of who asks is the answer or the reason", "[caf]") {
  endings seen;
  const auto race = [&](simulation& site) -> verdict {
    int ended = 0;
    auto crew = site.create_scope("crew");
    const auto echo = muster::spawn_actor(crew, {.name = "echo", .daemon = true}, [&](caf::actor_system& system) {
      return system.spawn([&](caf::event_based_actor* self) -> caf::behavior {
        self->attach_functor([&] { ++ended; });
        return {[](int x) { return x + 1; }};
      });
    });
    if (!echo)
      return std::unexpected{echo.error()};
    int ran = 0;
    auto task = crew.execute("asks", [&](context& ctx) { return ++ran, muster::request<int>(ctx, *echo, 1h, 41); });
    task.cancel();
    const auto whole = crew.wait();
    const auto& end = task.get();
    seen.saw(!ran ? "never asked" : end.ok() ? "answered" : "cancelled");
    return promised{}
        .that(end.ok() ? end.value() == 42 : end.cancelled(), "it is the answer or the reason")
        .that(whole.has_value(), "cancelling a task fails nobody else")
        .that(ended == 1, "the actor is stopped once")
        .that(site.elapsed() == 0s, "nobody waits for a timeout")
        .books(site, 1, ran);
  };
  CHECK(explore(seeds, race));
  CHECK(seen.missing({"never asked", "answered", "cancelled"}) == lines{});
  CHECK(explore(by_priority(), race));
}
