/// What the commands of muster-trace have in common: what they are asked, where they write, how they answer.
///
/// A command is a function of a model and a request that writes to an output. It neither reads files nor looks at the
/// terminal or the clock, so that tests call it as it is. It returns the program's exit code, or a sentence that says
/// what is wrong with the request.
#pragma once

#include "model.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <expected>
#include <string>
#include <string_view>

namespace muster::trace_viewer {

enum class tone : std::uint8_t { plain, good, bad, warn, dim, strong };

/// Where a command writes. Owner: its user. Threads: one. With a file, text goes there in large pieces; without, it
/// stays in `text()`.
class output {
public:
  explicit output(std::FILE* to = nullptr) : file_{to} {}
  output(const output&) = delete;
  output& operator=(const output&) = delete;
  ~output() { flush(); }

  void write(std::string_view text) {
    buffer_ += text;
    if (file_ != nullptr && buffer_.size() > 1U << 16U)
      flush();
  }
  template <class... Args>
  void print(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(buffer_), format, std::forward<Args>(args)...);
    write({});
  }
  /// False once something could not be written.
  bool flush() noexcept {
    if (file_ != nullptr) {
      good_ =
          good_ && std::fwrite(buffer_.data(), 1, buffer_.size(), file_) == buffer_.size() && std::fflush(file_) == 0;
      buffer_.clear();
    }
    return good_;
  }
  [[nodiscard]] const std::string& text() const noexcept { return buffer_; }
  [[nodiscard]] bool good() const noexcept { return good_; }

private:
  std::FILE* file_;
  std::string buffer_;
  bool good_ = true;
};

struct request {
  bool json = false;
  bool colour = false;
  std::size_t width = 100;     ///< columns of a line; what is longer is cut, but for sentences
  std::string at{};            ///< a moment, as parse_moment takes it; empty: the end
  std::string path{};          ///< of the node or scope that is asked about; empty: none in particular
  std::string format = "text"; ///< of `tree`: text, json, dot
  bool failed = false;         ///< `tree`: only what did not end well, and what is above it
  bool all = false;            ///< nothing is folded or left out
  std::size_t top = 10;        ///< how many of a list are shown
  // lint's thresholds, in ns or numbers
  std::int64_t slow_cancel = 100'000'000;
  std::int64_t slow_release = 100'000'000;
  std::int64_t starved = 1'000'000'000;
  std::size_t storm = 3;
  // diff's
  double slower_by = 1.5;                   ///< times as long
  std::int64_t slower_at_least = 1'000'000; ///< and by so many ns
};

using answer = std::expected<int, std::string>;

answer run_summary(const trace_model& model, const request& what, output& out);
answer run_tree(const trace_model& model, const request& what, output& out);
answer run_timeline(const trace_model& model, const request& what, output& out);
answer run_blame(const trace_model& model, const request& what, output& out);
answer run_waits(const trace_model& model, const request& what, output& out);
answer run_critical(const trace_model& model, const request& what, output& out);
answer run_diff(const trace_model& before, const trace_model& after, const request& what, output& out);
/// 0: nothing found, 1: something.
answer run_lint(const trace_model& model, const request& what, output& out);
/// 0: whole, 1: something is missing or damaged. (2, no trace at all, is the caller's.)
answer run_check(const trace_model& model, const request& what, output& out);
/// `to`: "perfetto", "chrome", "otlp" or "dot".
answer run_export(const trace_model& model, const request& what, std::string_view to, output& out);
/// One picture of a live process, at most `rows` lines high.
answer run_top(const trace_model& model, const request& what, std::size_t rows, output& out);
answer run_stuck(const trace_model& model, const request& what, output& out);
answer run_ps(const std::vector<process_entry>& processes, const request& what, output& out);

// -- for the commands -------------------------------------------------------------------------------------------------

/// `text` in a colour, if the request wants colours.
[[nodiscard]] std::string paint(const request& what, tone how, std::string_view text);
[[nodiscard]] tone tone_of(state s) noexcept;
/// The moment that the request asks about, on the trace clock.
[[nodiscard]] std::expected<std::int64_t, std::string> moment_of(const trace_model& model, const request& what);
/// One line of a text that is cut at the width.
void line(output& out, const request& what, std::string_view text);
/// A sentence, in as many lines as it takes; all but the first begin with `indent` spaces.
void sentence(output& out, const request& what, std::string_view text, std::size_t indent = 4);
using json = nlohmann::ordered_json;
/// JSON as text, whatever bytes it holds.
[[nodiscard]] std::string dump(const json& value, int indent = 2);
/// What was lost, as a sentence for under the output; empty if nothing was.
[[nodiscard]] std::string losses(const trace_model& model);

} // namespace muster::trace_viewer
