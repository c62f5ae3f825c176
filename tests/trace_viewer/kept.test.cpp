/// When a trace is written by itself, and what becomes of it, and of the program, if there is no room for it.
#include "trace_support.hpp"

#include "../actors/support.hpp"
#include "trace_writer.hpp"

#include <muster/caf.hpp>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include <fcntl.h>
#include <sys/resource.h>

#include <atomic>
#include <csignal>
#include <mutex>

using namespace trace_tests;
using namespace support;

namespace {

/// Files in the log that the trace was written to.
struct kept_files {
  mutable std::mutex mutex;
  std::vector<std::string> said;

  muster::log_hook hook() {
    return [this](const muster::log_record& r) {
      const std::lock_guard guard{mutex};
      said.push_back(r.text);
    };
  }
  [[nodiscard]] std::string file(std::string_view part = {}) const {
    const std::lock_guard guard{mutex};
    constexpr std::string_view before = "the trace was written to ";
    for (const auto& text : said)
      if (text.starts_with(before) && text.find(part) != std::string::npos)
        return text.substr(before.size());
    return {};
  }
};

} // namespace

TEST_CASE("kept: an unresponsive task has the trace written to a file that stays") {
  const scratch_folder dir;
  kept_files log;
  std::string file;
  {
    const auto clock = still_clock();
    muster::manager_options options{.name = "site"};
    options.trace.folder = dir.path;
    options.log = log.hook();
    muster::manager site{on(clock, std::move(options))};
    auto crew = site.create_scope("crew");
    gate started;
    gate held;
    const let_go at_end{held};
    crew.execute("stubborn", [&] {
      started.open();
      held.wait();
    });
    started.wait();
    crew.cancel();
    clock->advance(1s);
    await([&] { return !log.file().empty(); });
    file = log.file();
  }
  CHECK(dir.entries() == 1);
  const auto data = read(file);
  CHECK(std::ranges::any_of(data.events, [](const event& e) { return e.kind == event_kind::unresponsive; }));
  CHECK(file.find("+unresponsive-") != std::string::npos);
}

TEST_CASE("kept: a shutdown that stalls has the trace written") {
  const scratch_folder dir;
  kept_files log;
  const auto clock = still_clock();
  muster::manager_options options{.name = "site"};
  options.trace.folder = dir.path;
  options.log = log.hook();
  muster::manager site{on(clock, std::move(options))};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  crew.execute("stubborn", [&] {
    started.open();
    held.wait();
  });
  started.wait();
  std::jthread time{[&] {
    clock->await_timer_within(1h);
    while (log.file("+shutdown-").empty()) {
      clock->advance(1s);
      std::this_thread::yield();
    }
  }};
  CHECK_FALSE(site.shutdown(0s));
  time.join();
  CHECK(fs::exists(log.file("+shutdown-")));
}

TEST_CASE("kept: stats say whether the trace is where another process can read it") {
  const scratch_folder dir;
  auto options = standing_still();
  options.trace.folder = dir.path;
  CHECK(muster::manager{options}.stats().trace_mapped);
  kept_files log;
  options.trace.folder = dir.path / "missing" / "folder";
  options.log = log.hook();
  muster::manager site{options};
  CHECK_FALSE(site.stats().trace_mapped);
  await([&] {
    const std::lock_guard guard{log.mutex};
    return !log.said.empty();
  });
  CHECK(log.said[0].find("no other process sees") != std::string::npos);
}

TEST_CASE("kept: a supervisor that gives up has the trace written, with its restarts") {
  const scratch_folder dir;
  kept_files log;
  std::string file;
  {
    const auto clock = still_clock();
    muster::manager_options options{.name = "site"};
    options.trace.folder = dir.path;
    options.log = log.hook();
    muster::manager site{on(clock, std::move(options))};
    std::atomic<int> starts{0};
    auto crew = site.create_scope(
        "crew", {.on_failure = muster::restart{.max_restarts = 2, .within = 10s, .delay = {.first = 0s}},
                 .on_child = [&](const muster::child_event& e) {
                   starts += e.what == muster::child_transition::started;
                 }});
    const auto feed = muster::spawn_actor(crew, {.name = "feed"}, [](caf::event_based_actor* self) -> caf::behavior {
      return {[self](int) { self->quit(caf::sec::runtime_error); }};
    });
    REQUIRE(feed);
    for (int times = 1; times <= 3; ++times) {
      await([&] { return starts == times; });
      caf::anon_send(*feed, 1);
    }
    CHECK_FALSE(crew.wait());
    await([&] { return !log.file("+intensity-").empty(); });
    file = log.file("+intensity-");
  }
  const auto data = read(file);
  const auto many = [&](event_kind kind) { return std::ranges::count(data.events, kind, &event::kind); };
  CHECK(many(event_kind::restart_decided) == 3);
  CHECK(many(event_kind::restart_backoff) == 2);
  CHECK(many(event_kind::intensity_exceeded) == 1);
  CHECK(many(event_kind::restart_abandoned) == 1); // the third, which was one too many
}

// -- no room ----------------------------------------------------------------------------------------------------------

namespace {

/// While it lives, no file of this process grows beyond `bytes`: what a full disk does, without a disk.
class small_disk {
public:
  explicit small_disk(rlim_t bytes) {
    before_signal_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit small{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  }
  small_disk(const small_disk&) = delete;
  small_disk& operator=(const small_disk&) = delete;
  ~small_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }

private:
  rlimit before_{};
  void (*before_signal_)(int) = SIG_DFL;
};

/// From now on no place on the disk can be had for this file, as far as this process is concerned.
void take_disk_from(const fs::path& file) {
  for (const auto& each : fs::directory_iterator{"/proc/self/fd"}) {
    std::error_code gone;
    if (fs::read_symlink(each.path(), gone) != file)
      continue;
    const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    REQUIRE(::dup2(nothing, std::stoi(each.path().filename())) >= 0);
    ::close(nothing);
    return;
  }
  FAIL("the file is not open");
}

void fill(recorder& r, std::uint64_t events) {
  for (std::uint64_t n = 1; n <= events; ++n)
    record_pattern(r, n);
}

} // namespace

TEST_CASE("no room: a copy that cannot be written is an error, an earlier one stays and nothing is left behind") {
  const scratch_folder dir;
  recorder r{{.folder = dir.path}};
  fill(r, 10);
  const auto file = dir.path / "copy.muster";
  REQUIRE_FALSE(r.write(file));
  const auto before = dir.entries();
  fill(r, 5'000);
  // At the header, among the events, and in what follows them.
  for (const rlim_t bytes : {100U, 10'000U, 200'000U}) {
    const small_disk none{bytes};
    INFO(bytes);
    CHECK(r.write(file) == std::errc::file_too_large);
    CHECK_FALSE(r.keep("test").has_value());
    CHECK(dir.entries() == before);
  }
  CHECK(read(file).events.size() == 10);
  REQUIRE_FALSE(r.write(file)); // there is room again
  CHECK(read(file).events.size() == 5'010);
}

TEST_CASE("no room: a device that is full is an error") {
  for (const std::size_t events : {0U, 1'000U}) {
    muster::runtime::trace_writer out{muster::runtime::file_descriptor{::open("/dev/full", O_RDWR | O_CLOEXEC)}, {}};
    for (std::size_t n = 1; n <= events; ++n)
      out.add({.sequence = n, .kind = event_kind::note});
    CHECK(out.finish({}) == std::errc::no_space_on_device);
  }
}

TEST_CASE("no room: a ring for which there is none lies in memory, and says why") {
  const scratch_folder dir;
  const small_disk none{4096};
  recorder r{{.folder = dir.path}};
  CHECK_FALSE(r.mapped());
  CHECK(r.complaint().find(dir.path.string()) != std::string::npos);
  CHECK(dir.entries() == 0);
  fill(r, 1'000);
  CHECK(r.snapshot().size() == 1'000);
}

TEST_CASE("no room: a ring that cannot grow goes on in memory, and readers have what fits into the file") {
  const scratch_folder dir;
  recorder r{{.folder = dir.path}};
  REQUIRE(r.mapped());
  constexpr std::uint64_t events = 60'000; // the file has room for 256 segments of 84 at first
  take_disk_from(r.file());
  fill(r, events);
  CHECK_FALSE(r.mapped());
  CHECK(r.complaint().find("events are in the file") != std::string::npos);
  CHECK(r.snapshot().size() == events);
  CHECK(r.dropped() == 0);
  const auto data = read(r.file());
  CHECK(data.problems.empty());
  CHECK(data.events.size() == 256 * 84);
  CHECK(data.events_dropped == events - data.events.size());
  CHECK(std::ranges::all_of(data.events, is_pattern));
}

TEST_CASE("no room: a long run keeps what it has, says that it keeps no more, and the program goes on") {
  const scratch_folder dir;
  fs::path folder;
  {
    recorder r{{.mode = trace_mode::file, .bytes = 512 * 4096, .folder = dir.path}};
    REQUIRE(r.mapped());
    folder = r.file();
    const small_disk none{40'000};
    std::uint64_t n = 0;
    while (r.complaint().empty())
      record_pattern(r, ++n);
    CHECK(r.complaint().find("no events are kept any more") != std::string::npos);
    fill(r, 1'000);
    CHECK(r.snapshot().back().subject == 1'000);
  }
  const auto data = read(folder);
  for (const auto& p : data.problems)
    UNSCOPED_INFO(p.what << " at " << p.offset);
  CHECK(data.problems.empty());
  CHECK_FALSE(data.events.empty());
  CHECK_FALSE(data.ended_cleanly);
  CHECK(std::ranges::all_of(data.events, is_pattern));
}

TEST_CASE("no room: a manager says that the trace could not be written, and its work is not disturbed") {
  const scratch_folder dir;
  kept_files log;
  const auto clock = still_clock();
  muster::manager_options options{.name = "site"};
  options.trace.folder = dir.path;
  options.log = log.hook();
  muster::manager site{on(clock, std::move(options))};
  auto crew = site.create_scope("crew");
  gate started;
  gate held;
  const let_go at_end{held};
  {
    const small_disk none{100};
    crew.execute("stubborn", [&] {
      started.open();
      held.wait();
    });
    started.wait();
    crew.cancel();
    clock->advance(1s);
    await([&] {
      const std::lock_guard guard{log.mutex};
      return std::ranges::any_of(log.said, [](const auto& text) {
        return text.starts_with("the trace could not be written: ");
      });
    });
    auto other = site.create_scope("other");
    CHECK(other.execute("work", [] { return 7; }).get().ok());
    CHECK(site.write_trace((dir.path / "trace").string()) == std::errc::file_too_large);
  }
  CHECK(dir.entries() == 1); // the ring
}
