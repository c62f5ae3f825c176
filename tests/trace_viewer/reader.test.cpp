/// What is read back of a trace that was written whole, in pieces, cut or damaged.
#include "trace_support.hpp"

#include <command.hpp>
#include <text.hpp>

#include <atomic>
#include <latch>
#include <map>
#include <random>
#include <thread>

using namespace trace_tests;

TEST_CASE("reader: a trace comes back with every event, text and fact of it") {
  recorder r{{}, {.clock_ns = 1000, .wall_ns = 1'700'000'000'000'000'000, .workers = 7}};
  const auto first = r.record(event_kind::task_created, 7, -5, 0, INT64_MIN, r.intern("charge"));
  r.record(event_kind::failure, UINT64_MAX, INT64_MAX, first, INT64_MAX, r.intern("it broke"));
  const auto data = written_by(r);
  CHECK(data.major == 1);
  CHECK(data.pid == ::getpid());
  CHECK_FALSE(data.program.empty());
  CHECK(data.clock_anchor_ns == 1000);
  CHECK(data.wall_anchor_ns == 1'700'000'000'000'000'000);
  CHECK(data.workers == 7);
  CHECK_FALSE(data.live);
  CHECK_FALSE(data.ended_cleanly);
  REQUIRE(data.events.size() == 2);
  CHECK(data.events[0].value == INT64_MIN);
  CHECK(data.events[0].time_ns == -5);
  CHECK(data.texts[data.events[0].text] == "charge");
  CHECK(data.events[1].subject == UINT64_MAX);
  CHECK(data.events[1].cause == first);
  CHECK(data.texts[data.events[1].text] == "it broke");
  CHECK(data.texts[0].empty());
  CHECK(data.events_dropped == 0);
  CHECK(data.problems.empty());
}

TEST_CASE("reader: a recorder that is off, or was not used, gives a trace without events") {
  CHECK(written_by(recorder{{.mode = trace_mode::off}}).events.empty());
  const auto unused = written_by(recorder{});
  CHECK(unused.events.empty());
  CHECK(unused.problems.empty());
  CHECK(unused.texts == std::vector<std::string>{""});
}

TEST_CASE("reader: what is no trace, or of a newer major version, is refused with a sentence that names the file") {
  const scratch_folder dir;
  const auto file = dir.path / "some.file";
  const auto refusal = [&](const std::vector<std::byte>& bytes) {
    std::ofstream out{file, std::ios::binary};
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    out.close();
    const auto answer = read_trace(file);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().starts_with(file.string() + ": "));
    return answer.error();
  };
  CHECK(refusal({}).ends_with("it is not a trace of Muster"));
  CHECK(refusal(std::vector<std::byte>(10'000)).ends_with("it is not a trace of Muster"));
  auto newer = bytes_of(recorder{});
  change_facts(newer, [](auto& facts) { ++facts.major; });
  CHECK(refusal(newer).find("format 2.0") != std::string::npos);
  auto swapped = bytes_of(recorder{});
  change_facts(swapped, [](auto& facts) { facts.byte_order = 0x04030201; });
  CHECK(refusal(swapped).find("byte order") != std::string::npos);
  auto damaged = bytes_of(recorder{});
  damaged[30] ^= std::byte{1};
  CHECK(refusal(damaged).ends_with("its header is damaged"));
  CHECK(read_trace(dir.path / "nowhere").error().find("No such file") != std::string::npos);
  CHECK(read_trace(dir.path).error().ends_with("there is no trace in this folder"));
}

TEST_CASE("reader: a newer minor version is read, and records of unknown kinds are skipped and counted") {
  recorder r;
  record_pattern(r, 1);
  r.record(static_cast<event_kind>(0x7777), 2, 2);
  record_pattern(r, 3);
  auto bytes = bytes_of(r);
  change_facts(bytes, [](auto& facts) { facts.minor = 99; });
  const auto data = read_trace_bytes(bytes);
  REQUIRE(data);
  CHECK(data->minor == 99);
  CHECK(data->unknown_kinds == 1);
  CHECK(data->events.size() == 2);
  CHECK(data->events_dropped == 0);
}

TEST_CASE("reader: what was overwritten is counted") {
  recorder r{{.bytes = 2 * 4096}};
  for (std::uint64_t n = 1; n <= 1000; ++n)
    record_pattern(r, n);
  const auto data = written_by(r);
  CHECK(data.events.size() == 2 * 84);
  CHECK(data.events.back().sequence == 1000);
  CHECK(data.events_dropped == 1000 - 2 * 84);
}

TEST_CASE("reader: time that goes backwards breaks nothing") {
  recorder r;
  for (const std::int64_t t : {std::int64_t{5}, std::int64_t{1}, INT64_MAX, INT64_MIN, std::int64_t{0}})
    r.record(event_kind::note, 1, t);
  const auto data = written_by(r);
  CHECK(data.events.size() == 5);
  CHECK(data.events[3].time_ns == INT64_MIN);
  CHECK(data.problems.empty());
}

TEST_CASE("reader: 64 threads lose no event and no text while there is room") {
  const scratch_folder dir;
  recorder r{{.folder = dir.path}};
  constexpr std::uint64_t threads = 64;
  constexpr std::uint64_t each = 500;
  {
    std::latch all_here{threads};
    std::vector<std::jthread> crew;
    for (std::uint64_t t = 0; t < threads; ++t)
      crew.emplace_back([&, t] {
        all_here.arrive_and_wait();
        for (std::uint64_t n = 0; n < each; ++n)
          r.record(event_kind::note, t, static_cast<std::int64_t>(n), 0, 0, r.intern("thread " + std::to_string(t)));
      });
  }
  for (const auto& data : {written_by(r), read(r.file())}) {
    REQUIRE(data.events.size() == threads * each);
    CHECK(in_order(data));
    CHECK(data.events_dropped == 0);
    CHECK(data.problems.empty());
    CHECK(std::ranges::all_of(data.events, [&](const event& e) {
      return data.texts[e.text] == "thread " + std::to_string(e.subject);
    }));
  }
}

TEST_CASE("reader: names of any bytes come back as they are, and can be printed") {
  using muster::trace_viewer::escaped;
  const std::vector<std::string> names{std::string{"a\0b", 3},
                                       "say \"no\"",
                                       "</script><script>alert(1)",
                                       "\x1b[31mred\x1b[0m",
                                       "\xff\xfe",
                                       "line\nbreak",
                                       "\xe2\x80\xae"
                                       "evil",
                                       "ä€🙂"};
  recorder r;
  for (const auto& name : names)
    r.record(event_kind::task_created, 1, 0, 0, 0, r.intern(name));
  const auto data = written_by(r);
  REQUIRE(data.events.size() == names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    CHECK(data.texts[data.events[i].text] == names[i]);
  CHECK(escaped(names[0]) == "a\\x00b");
  CHECK(escaped(names[1]) == names[1]);
  CHECK(escaped(names[2]) == names[2]);
  CHECK(escaped(names[3]) == "\\x1b[31mred\\x1b[0m");
  CHECK(escaped(names[4]) == "\\xff\\xfe");
  CHECK(escaped(names[5]) == "line\\nbreak");
  CHECK(escaped(names[6]) == "\\u{202e}evil");
  CHECK(escaped(names[7]) == names[7]);
  CHECK(escaped("C:\\x00") == "C:\\\\x00");
  CHECK(escaped("\xc2\x85\xed\xa0\x80\xf0\x80\x80\x80") == "\\u{85}\\xed\\xa0\\x80\\xf0\\x80\\x80\\x80");
}

// -- damage -----------------------------------------------------------------------------------------------------------

namespace {

/// A small trace with something of everything.
std::vector<std::byte> small_trace() {
  recorder r;
  for (std::uint64_t n = 1; n <= 100; ++n)
    record_pattern(r, n);
  const auto name = r.intern("crew");
  const auto scope = r.born(format::node::scope, 500, 0, 1, name, 0);
  recorder::living_task task{.created = 0, .text = r.intern("worker"), .self = 0, .state = 0};
  r.task_born(task, 501, 500, 2);
  r.task_came_to(0, task, scope, 501, 500, 2);
  r.record(event_kind::task_created, 502, 3, 0, 500, r.intern("another"));
  return bytes_of(r);
}

/// That nothing in it contradicts what reader.hpp promises.
bool holds(const trace_data& data) {
  const auto text_ok = [&](std::uint32_t text) { return text < data.texts.size(); };
  return in_order(data) && !data.texts.empty() && data.texts[0].empty() &&
         std::ranges::all_of(data.events, [&](const event& e) { return e.sequence != 0 && text_ok(e.text); }) &&
         std::ranges::all_of(data.alive, [&](const auto& one) { return text_ok(one.text); });
}

} // namespace

TEST_CASE("reader: a file cut at any byte gives what is whole of it, and says that it is cut") {
  const auto whole = small_trace();
  const auto all = read_trace_bytes(whole);
  REQUIRE(all);
  REQUIRE(all->events.size() == 101);
  REQUIRE(all->alive.size() == 2);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto cut = read_trace_bytes(std::span{whole}.first(size));
    INFO("cut at " << size);
    if (size < format::page) {
      REQUIRE_FALSE(cut);
      continue;
    }
    REQUIRE(cut);
    REQUIRE(holds(*cut));
    REQUIRE_FALSE(cut->problems.empty());
    REQUIRE(cut->events.size() == std::min<std::size_t>((size - format::page) / format::page, 2) * 84 -
                                    (size >= 3 * format::page ? 2 * 84 - 101 : 0));
  }
}

TEST_CASE("reader: a damaged segment is left out and named with its place, the others are read") {
  auto bytes = small_trace();
  bytes[format::page + 200] ^= std::byte{4};
  const auto data = read_trace_bytes(bytes);
  REQUIRE(data);
  CHECK(data->events.size() == 101 - 84);
  REQUIRE(data->problems.size() == 1);
  CHECK(data->problems[0].offset == format::page);
  CHECK(data->events_dropped == 84);
}

TEST_CASE("reader: a damaged text is passed over and the ones behind it are found") {
  recorder r;
  for (const char* text : {"one", "two", "three"})
    r.record(event_kind::note, 1, 0, 0, 0, r.intern(text));
  auto bytes = bytes_of(r);
  format::file_facts facts;
  std::memcpy(&facts, bytes.data(), sizeof facts);
  const auto second = facts.strings.offset + format::string_bytes(3);
  bytes[second + 4] ^= std::byte{0x40}; // its length
  const auto data = read_trace_bytes(bytes);
  REQUIRE(data);
  CHECK(data->texts == std::vector<std::string>{"", "one", "", "three"});
  REQUIRE(problem_says(*data, "string table is damaged"));
  CHECK(data->problems[0].offset == second);
}

TEST_CASE("reader: 100,000 random mutations give a trace or a sentence, never a crash") {
  const auto sealed = small_trace();
  // The same as if it were a ring, of which nothing is sealed.
  auto ring = sealed;
  change_facts(ring, [](auto& facts) { facts.kind = format::file_kind::ring; });
  const std::uint64_t backed = 2 * format::page;
  std::memcpy(ring.data() + 512 + offsetof(format::file_state, backed), &backed, sizeof backed);
  REQUIRE(read_trace_bytes(ring)->events.size() == 101);

  std::mt19937_64 random{20'240'607};
  using namespace muster::trace_viewer;
  // Reading costs little; whatever is made of what was read is tried on a part of them.
  const auto commands_stand_it = [](trace_data&& data) {
    const trace_model model{std::move(data)};
    output out;
    for (const auto run :
         {run_tree, run_summary, run_waits, run_lint, run_check, run_blame, run_timeline, run_critical})
      static_cast<void>(run(model, {}, out));
    for (const auto* to : {"perfetto", "chrome", "otlp", "dot"})
      static_cast<void>(run_export(model, {}, to, out));
    return !out.text().empty();
  };
  std::size_t refused = 0;
  std::size_t unsound = 0;
  std::vector<std::byte> bytes;
  for (int round = 0; round < 100'000; ++round) {
    bytes = round % 2 == 0 ? sealed : ring;
    for (auto changes = 1 + random() % 8; changes > 0; --changes) {
      // The padding of the first page is of no interest.
      auto at = random() % (bytes.size() - 3000);
      at = at >= 600 ? at + 3000 : at;
      bytes[at] = round % 3 == 0 ? bytes[at] ^ std::byte(1U << random() % 8) : std::byte(random() & 0xFFU);
    }
    if (random() % 16 == 0)
      bytes.resize(random() % bytes.size());
    if (bytes.size() >= format::page && random() % 4 != 0)
      change_facts(bytes, [](auto&) {});
    auto data = read_trace_bytes(bytes);
    refused += data ? 0 : 1;
    unsound += data ? !holds(*data) : data.error().empty();
    if (data && round % 50 < 2)
      unsound += !commands_stand_it(std::move(*data));
  }
  CHECK(unsound == 0);
  CHECK(refused > 1000);
  CHECK(refused < 90'000);
}

// -- files one after the other ----------------------------------------------------------------------------------------

TEST_CASE("reader: a long run keeps every event in files that follow each other, up to the cap") {
  const scratch_folder dir;
  fs::path folder;
  constexpr std::uint64_t events = 20'000;
  {
    recorder r{
        {.mode = trace_mode::file, .bytes = 64 * 4096, .folder = dir.path, .file_bytes = 40 * 4096, .files = 100}};
    REQUIRE(r.mode() == trace_mode::file);
    REQUIRE(r.mapped());
    folder = r.file();
    const auto name = r.intern("a name");
    for (std::uint64_t n = 1; n <= events; ++n) {
      r.record(event_kind::note, n, static_cast<std::int64_t>(n), 0, 0, name);
      // As fast as it is kept, so that nothing is lost however the threads are scheduled.
      if (n % 1000 == 0) {
        const auto last = [&] {
          const auto seen = read_trace(folder);
          return seen && !seen->events.empty() && seen->events.size() == n;
        };
        while (!last())
          std::this_thread::yield();
      }
    }
    const auto now = read(folder);
    CHECK(now.live);
    CHECK(now.events.size() == events);
    CHECK(now.problems.empty());
  }
  CHECK_FALSE(fs::exists(folder / "ring.muster"));
  const auto data = read(folder);
  CHECK(data.problems.empty());
  CHECK(data.events_dropped == 0);
  REQUIRE(data.events.size() == events);
  CHECK(in_order(data));
  CHECK(data.ended_cleanly);
  CHECK_FALSE(data.live);
  CHECK(data.texts[data.events.front().text] == "a name");
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator{folder}) {
    ++files;
    CHECK(entry.file_size() <= 40 * 4096 + 84 * 4096);
    CHECK(read(entry.path()).problems.empty()); // each can be read by itself
  }
  CHECK(files > 2);
}

TEST_CASE("reader: of files that follow each other the newest stay, and what went is counted") {
  const scratch_folder dir;
  fs::path folder;
  {
    recorder r{{.mode = trace_mode::file, .bytes = 64 * 4096, .folder = dir.path, .file_bytes = 4 * 4096, .files = 2}};
    folder = r.file();
    for (std::uint64_t n = 1; n <= 50'000; ++n)
      record_pattern(r, n);
  }
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator{folder})
    files += entry.is_regular_file() ? 1 : 0;
  CHECK(files <= 2);
  const auto data = read(folder);
  CHECK(data.events.back().sequence == 50'000);
  CHECK(data.events_dropped == 50'000 - data.events.size());
  CHECK(std::ranges::all_of(data.events, is_pattern));
}
