/// How much memory muster-trace takes for a large trace: the real program, in a process of its own.
///
/// Sanitizers take several times as much for themselves, so that there is nothing to be measured with them.
#include "trace_support.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

using namespace trace_tests;

namespace {

/// 100,000 tasks in a thousand scopes, as a program records them. In a process of its own: this one stays small.
void write_large_trace(const fs::path& file) {
  child writer{[&](int) {
    recorder r{{.bytes = std::size_t{32} << 20U}, {.in_memory = true}};
    const auto site = r.record(event_kind::manager_created, 1, 0, 0, 0, r.intern("site"));
    std::uint64_t id = 2;
    std::int64_t now = 0;
    for (int s = 0; s < 1'000; ++s) {
      const auto scope = id++;
      const auto opened =
          r.record(event_kind::scope_created, scope, now, site, 1, r.intern("request-" + std::to_string(s)));
      for (int t = 0; t < 100; ++t) {
        const auto name = r.intern("worker");
        const auto task = id++;
        const auto of = static_cast<std::int64_t>(scope);
        const auto made = r.record(event_kind::task_created, task, now += 50, opened, of, name);
        const auto ready = r.record(event_kind::task_ready, task, now += 50, made, 1);
        const auto started =
            r.record(event_kind::task_started, task, now += 50, ready, format::task_value(scope, 7), name);
        r.record(event_kind::task_ended, task, now += 500, started, format::task_value(scope, t == 50 ? 1 : 0),
                 t == 50 ? r.intern("broken") : 0);
      }
      r.record(event_kind::scope_ended, scope, now, opened, 1, r.intern("broken"));
    }
    ::_exit(r.write(file) ? 1 : 0);
  }};
  REQUIRE(writer.join() == 0);
}

struct run_result {
  int code = -1;
  std::uint64_t bytes = 0; ///< the most memory it had at a time
};

/// Runs a program to its end, with its output to `output`.
run_result run(const char* program, std::vector<std::string> arguments, const char* output) {
  arguments.insert(arguments.begin(), program);
  std::vector<char*> argv;
  for (auto& a : arguments)
    argv.push_back(a.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY, 0);
  pid_t pid = -1;
  REQUIRE(::posix_spawn(&pid, program, &actions, nullptr, argv.data(), environ) == 0);
  ::posix_spawn_file_actions_destroy(&actions);
  int status = 0;
  rusage used{};
  REQUIRE(::wait4(pid, &status, 0, &used) == pid);
  REQUIRE(WIFEXITED(status));
  return {WEXITSTATUS(status), static_cast<std::uint64_t>(used.ru_maxrss) * 1024};
}

constexpr const char* measuring = "memory: measured in a small process";

} // namespace

// A program is charged with what the process had before it became this program, which after other tests is a lot.
TEST_CASE("memory: every command and export takes less than four times the size of the file") {
  CHECK(run("/proc/self/exe", {measuring}, "/dev/stderr").code == 0);
}

TEST_CASE(measuring, "[.]") {
  const scratch_folder dir;
  const auto file = (dir.path / "trace.muster").string();
  write_large_trace(file);
  const auto size = fs::file_size(file);
  REQUIRE(size > 400'000 * sizeof(event));
  std::vector<std::vector<std::string>> all{{"diff", file, file}, {"tree", file, "--format", "dot"}};
  for (const auto* name :
       {"summary", "tree", "timeline", "blame", "waits", "critical", "lint", "check", "top", "stuck"})
    all.push_back({name, file});
  for (const auto* to : {"perfetto", "chrome", "otlp", "dot"})
    all.push_back({"export", file, "--to", to});
  all.push_back({"html", file, "-o", (dir.path / "page.html").string()});
  for (const auto& arguments : all) {
    INFO(arguments.front() << ' ' << arguments.back());
    const auto traces = arguments.front() == "diff" ? 2U : 1U;
    const auto used = run(MUSTER_TRACE_PROGRAM, arguments, "/dev/null");
    CHECK(used.code <= 1); // lint found something
    INFO(static_cast<double>(used.bytes) / static_cast<double>(size) << " times the file of " << size << " bytes");
    CHECK(used.bytes < 4 * size * traces);
  }
}

#endif
