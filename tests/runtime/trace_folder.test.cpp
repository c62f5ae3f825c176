/// Where traces lie, who may look at them, and when they go.
#include "catch.hpp"

#include "trace_folder.hpp"
#include "trace_scratch.hpp"

#include <muster/trace.hpp>

#include <sys/wait.h>

#include <cstdlib>
#include <fstream>

using muster::recorder;
using muster::trace_mode;
using muster::runtime::trace_folder;
using muster::tests::scratch_folder;

namespace {

namespace fs = std::filesystem;

fs::perms mode_of(const fs::path& path) { return fs::status(path).permissions() & fs::perms::all; }

/// Sets a variable of the environment for a while.
struct variable {
  std::string name;
  std::optional<std::string> before;
  variable(const char* n, const std::string& value) : name{n} {
    if (const char* old = std::getenv(n))
      before = old;
    ::setenv(n, value.c_str(), 1);
  }
  ~variable() { before ? ::setenv(name.c_str(), before->c_str(), 1) : ::unsetenv(name.c_str()); }
};

/// The end of a child process that runs `body`.
template <class Body>
int in_child(Body body) {
  const auto child = ::fork();
  if (child == 0) {
    body();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  return status;
}

} // namespace

TEST_CASE("traces: the folder is MUSTER_TRACE_DIR, else the session's, else one in the temporary directory") {
  const scratch_folder dir;
  const variable session{"XDG_RUNTIME_DIR", dir.path.string()};
  {
    const variable said{"MUSTER_TRACE_DIR", "/somewhere"};
    CHECK(muster::runtime::usual_trace_folders() == std::vector<fs::path>{"/somewhere"});
  }
  const variable unsaid{"MUSTER_TRACE_DIR", ""};
  const variable temporary{"TMPDIR", dir.path.string()};
  const auto all = muster::runtime::usual_trace_folders();
  REQUIRE(all.size() == 2);
  CHECK(all[0] == dir.path / "muster");
  CHECK(all[1] == dir.path / ("muster-" + std::to_string(::geteuid())));
}

TEST_CASE("traces: a folder that is made is for its owner only, and so is every file") {
  const scratch_folder dir;
  const auto old = ::umask(0);
  recorder r{{.folder = dir.path / "traces"}};
  ::umask(old);
  REQUIRE(r.mapped());
  CHECK(mode_of(dir.path / "traces") == fs::perms::owner_all);
  CHECK(mode_of(r.file()) == (fs::perms::owner_read | fs::perms::owner_write));
}

TEST_CASE("traces: a folder that others may write to, a link, or a file is refused, and events stay in memory") {
  const scratch_folder dir;
  fs::create_directory(dir.path / "open");
  fs::permissions(dir.path / "open", fs::perms::all);
  fs::create_directory(dir.path / "real");
  fs::create_directory_symlink(dir.path / "real", dir.path / "link");
  std::ofstream{dir.path / "file"};
  for (const char* name : {"open", "link", "file", "missing/below"}) {
    INFO(name);
    CHECK_FALSE(trace_folder::open(dir.path / name));
    recorder r{{.folder = dir.path / name}};
    CHECK(r.enabled());
    CHECK_FALSE(r.mapped());
    CHECK(r.file().empty());
    CHECK(r.complaint().find(name) != std::string::npos);
    CHECK(r.record(muster::event_kind::note, 1, 2) == 1);
    CHECK(r.snapshot().size() == 1);
  }
}

TEST_CASE("traces: somebody else's folder is refused") {
  if (::geteuid() != 0)
    return; // only root can make one
  const scratch_folder dir;
  fs::create_directory(dir.path / "theirs");
  REQUIRE(::chown((dir.path / "theirs").c_str(), 12345, 12345) == 0);
  const auto answer = trace_folder::open(dir.path / "theirs");
  REQUIRE_FALSE(answer);
  CHECK(answer.error().find("somebody else's") != std::string::npos);
}

TEST_CASE("traces: recorders of one process have a file each, which is gone after a clean end") {
  const scratch_folder dir;
  {
    recorder a{{.folder = dir.path}};
    recorder b{{.folder = dir.path}};
    CHECK(a.file() != b.file());
    CHECK(muster::runtime::has_owner(a.file()));
    CHECK(dir.entries() == 2);
    a.close();
    CHECK(dir.entries() == 1);
    CHECK(a.record(muster::event_kind::note, 1, 2) == 1); // late, and harmless
  }
  CHECK(dir.entries() == 0);
}

TEST_CASE("traces: of processes that died the newest four are kept, and nobody who lives is touched") {
  const scratch_folder dir;
  const recorder living{{.folder = dir.path}};
  for (int n = 0; n < 7; ++n)
    REQUIRE(in_child([&] {
              recorder dies{{.folder = dir.path}};
              dies.record(muster::event_kind::note, 1, 2);
              ::_exit(0); // without an end
            }) == 0);
  trace_folder::open(dir.path)->remove_dead(4);
  CHECK(dir.entries() == 5);
  CHECK(fs::exists(living.file()));
  trace_folder::open(dir.path)->remove_dead(0);
  CHECK(dir.entries() == 1);
}

TEST_CASE("traces: a process number that is used again deceives nobody: it is the lock that tells who lives") {
  const scratch_folder dir;
  // Named after a process that surely lives, and owned by nobody.
  std::ofstream{dir.path / ("program-" + std::to_string(::getppid()) + "-1f.1.muster")} << "x";
  trace_folder::open(dir.path)->remove_dead(0);
  CHECK(dir.entries() == 0);
}

TEST_CASE("traces: what is no trace is left alone") {
  const scratch_folder dir;
  for (const char* name : {"notes.txt", "a.muster", "a-b.1.muster", "a-1-xyz.1.muster", "-1-1f.1.txt"})
    std::ofstream{dir.path / name};
  const auto before = dir.entries();
  trace_folder::open(dir.path)->remove_dead(0);
  CHECK(dir.entries() == before);
  CHECK(muster::runtime::process_in("my-program-4711-18ab.3+unresponsive-1.muster") == "my-program-4711-18ab");
}

TEST_CASE("traces: what was written out stays when the recorder ends, the newest few of it") {
  const scratch_folder dir;
  {
    recorder r{{.folder = dir.path}};
    for (std::size_t n = 0; n < recorder::most_kept + 3; ++n) {
      const auto file = r.keep("test");
      REQUIRE(file);
      CHECK(fs::exists(*file));
      CHECK(mode_of(*file) == (fs::perms::owner_read | fs::perms::owner_write));
    }
  }
  CHECK(dir.entries() == static_cast<std::ptrdiff_t>(recorder::most_kept));
}

TEST_CASE("traces: a child process after a fork records for itself, and leaves its parent's file alone") {
  const scratch_folder dir;
  recorder r{{.folder = dir.path}};
  const auto name = r.intern("before");
  r.record(muster::event_kind::note, 1, 0, 0, 0, name);
  CHECK(in_child([&] {
          const bool own = !r.mapped() && r.snapshot().empty() && r.text(name) == "before";
          for (int n = 0; n < 1000; ++n)
            r.record(muster::event_kind::note, 2, 0);
          const bool kept = r.snapshot().size() == 1000;
          r.close();
          ::_exit(own && kept ? 0 : 1);
        }) == 0);
  CHECK(r.mapped());
  CHECK(fs::exists(r.file()));
  const auto all = r.snapshot();
  REQUIRE(all.size() == 1);
  CHECK(all[0].subject == 1);
}

TEST_CASE("traces: a recorder for a simulation has no file") {
  const scratch_folder dir;
  recorder r{{.folder = dir.path}, {.in_memory = true}};
  CHECK(r.enabled());
  CHECK_FALSE(r.mapped());
  CHECK(r.complaint().empty());
  CHECK_FALSE(r.keep("test"));
  CHECK(dir.entries() == 0);
}
