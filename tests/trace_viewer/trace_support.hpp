/// What the tests of the reader are written with: patterns of events, bytes of files, children that are killed.
#pragma once

#include "../catch.hpp"
#include "../trace_scratch.hpp"

#include <muster/trace.hpp>

#include <reader.hpp>
#include <trace_file.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace trace_tests {

namespace fs = std::filesystem;
namespace format = muster::trace_format;
using muster::event;
using muster::event_kind;
using muster::recorder;
using muster::trace_mode;
using muster::tests::scratch_folder;
using muster::trace_viewer::node_kind;
using muster::trace_viewer::read_trace;
using muster::trace_viewer::read_trace_bytes;
using muster::trace_viewer::trace_data;

/// An event whose every field follows from `n`, so that a mixture of two shows.
inline std::uint64_t record_pattern(recorder& r, std::uint64_t n) {
  return r.record(event_kind::note, n, static_cast<std::int64_t>(n * 3), n * 5, static_cast<std::int64_t>(n * 7));
}
[[nodiscard]] inline bool is_pattern(const event& e) {
  const auto n = e.subject;
  return e.time_ns == static_cast<std::int64_t>(n * 3) && e.cause == n * 5 &&
         e.value == static_cast<std::int64_t>(n * 7) && e.kind == event_kind::note;
}
[[nodiscard]] inline bool in_order(const trace_data& data) {
  return std::ranges::adjacent_find(data.events, [](const event& a, const event& b) {
           return a.sequence >= b.sequence;
         }) == data.events.end();
}

/// The trace, which must be readable.
[[nodiscard]] inline trace_data read(const fs::path& file) {
  auto data = read_trace(file);
  INFO((data ? std::string{} : data.error()));
  REQUIRE(data);
  return std::move(*data);
}
[[nodiscard]] inline trace_data written_by(const recorder& r) {
  const scratch_folder dir;
  REQUIRE_FALSE(r.write(dir.path / "trace"));
  return read(dir.path / "trace");
}

[[nodiscard]] inline std::vector<std::byte> bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  std::vector<std::byte> out(text.size());
  std::memcpy(out.data(), text.data(), text.size());
  return out;
}
[[nodiscard]] inline std::vector<std::byte> bytes_of(const recorder& r) {
  const scratch_folder dir;
  REQUIRE_FALSE(r.write(dir.path / "trace"));
  return bytes_of(dir.path / "trace");
}
/// Changes the facts in the header, with their checksum.
template <class Change>
void change_facts(std::vector<std::byte>& bytes, Change change) {
  format::file_facts facts;
  std::memcpy(&facts, bytes.data(), sizeof facts);
  change(facts);
  const auto sum = format::checksum_of(facts);
  std::memcpy(bytes.data(), &facts, sizeof facts);
  std::memcpy(bytes.data() + offsetof(format::file_header, facts_checksum), &sum, sizeof sum);
}

[[nodiscard]] inline const muster::trace_viewer::alive_entry* alive(const trace_data& data, std::string_view name) {
  for (const auto& one : data.alive)
    if (data.texts.at(one.text) == name)
      return &one;
  return nullptr;
}
[[nodiscard]] inline bool problem_says(const trace_data& data, std::string_view part) {
  return std::ranges::any_of(data.problems, [&](const auto& p) { return p.what.find(part) != std::string::npos; });
}

/// A process of its own, which runs `body(out)` and writes single bytes to `out` to say how far it is.
class child {
public:
  template <class Body>
  explicit child(Body body) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::close(ends[0]);
      body(ends[1]);
      ::_exit(0);
    }
    ::close(ends[1]);
    from_ = ends[0];
  }
  child(const child&) = delete;
  ~child() {
    if (pid_ > 0)
      kill();
    ::close(from_);
  }
  /// Returns when it has said something `times` times; false if it said its last before that.
  bool await(int times) const {
    char c = 0;
    while (times > 0 && ::read(from_, &c, 1) == 1)
      --times;
    return times == 0;
  }
  /// Waits for its end, killing it first. Returns the status.
  int kill(int signal = SIGKILL) {
    ::kill(pid_, signal);
    return join();
  }
  int join() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }

private:
  pid_t pid_ = -1;
  int from_ = -1;
};
inline void say(int to) { static_cast<void>(!::write(to, "x", 1)); }

/// The only ring in a folder.
[[nodiscard]] inline fs::path ring_in(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator{folder})
    if (entry.path().extension() == ".muster")
      return entry.path();
  return {};
}

} // namespace trace_tests
