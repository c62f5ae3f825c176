/// muster-trace: what a system of actors did, or is doing. This file takes the command line apart and reads the traces.
///
/// Exit codes: 0 well; 1 `lint` found something, or `check` found damage; 2 the question could not be answered.
#include "command.hpp"
#include "terminal.hpp"
#include "text.hpp"
#ifdef MUSTER_TRACE_PAGE
#include "command_html.hpp"
#endif

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>

namespace muster::trace_viewer {

namespace {

constexpr int cannot_answer = 2;

struct settings {
  request what{};
  std::string colour = "auto";
  std::size_t width = 0; ///< 0: the terminal's
  std::string file{};
  std::string other{}; ///< the second of `diff`
  std::string to{};
  std::string written{}; ///< where an export goes; empty: standard output
  std::string interval = "1s";
  std::string slow_cancel = "100ms";
  std::string slow_release = "100ms";
  std::string starved = "1s";
  std::string slower_at_least = "1ms";
  bool follow = false;
  bool once = false;
};

int complain(std::string_view why) {
  std::fflush(stdout);
  fmt::print(stderr, "muster-trace: {}\n", why);
  return cannot_answer;
}

[[nodiscard]] std::int64_t steady_now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// A file, a folder, or the process of this number.
[[nodiscard]] std::expected<trace_data, std::string> read(const std::string& which) {
  std::error_code ignored;
  const bool number = !which.empty() && std::ranges::all_of(which, [](char c) { return c >= '0' && c <= '9'; });
  if (number && !std::filesystem::exists(which, ignored)) {
    const auto all = list_processes();
    for (const auto& p : all)
      if (std::to_string(p.pid) == which)
        return read_trace(p.file);
    return std::unexpected{
        fmt::format("no trace of a process {} is there; muster-trace ps lists those that are", which)};
  }
  return read_trace(which);
}

[[nodiscard]] std::expected<trace_model, std::string> model_of(const std::string& which) {
  auto data = read(which);
  if (!data)
    return std::unexpected{std::move(data.error())};
  // Of a process that runs, what lasts has lasted until now: its clock is the machine's, if its last event was lately.
  std::int64_t now = unset;
  if (data->live && !data->events.empty()) {
    constexpr std::int64_t month = std::int64_t{30} * 86400 * 1'000'000'000;
    const auto last = data->events.back().time_ns;
    if (const auto t = steady_now(); t >= last && t - last < month)
      now = t;
  }
  return trace_model{std::move(*data), now};
}

using command = std::function<answer(const trace_model&, const request&, output&)>;

/// The exit code, once everything is written.
int finished(const answer& code, output& out) {
  if (!code)
    return complain(code.error());
  if (!out.flush())
    return complain(fmt::format("could not write everything: {}", std::strerror(errno)));
  return *code;
}

int run_once(const settings& s, const command& run) {
  const auto model = model_of(s.file);
  if (!model)
    return complain(model.error());
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{nullptr, std::fclose};
  if (!s.written.empty() && s.written != "-") {
    file.reset(std::fopen(s.written.c_str(), "wb"));
    if (!file)
      return complain(fmt::format("cannot write {}: {}", escaped(s.written), std::strerror(errno)));
  }
  output out{file ? file.get() : stdout};
  return finished(run(*model, s.what, out), out);
}

/// Again and again on a screen of its own, until q. Not on a terminal, or with --once: once, in plain text.
int run_live(settings s,
             const std::function<answer(const trace_model&, const request&, std::size_t rows, output&)>& run) {
  const auto interval = parse_duration(s.interval);
  if (!interval || *interval < 10'000'000)
    return complain(interval ? "an interval is at least 10ms" : interval.error());
  if (s.once || s.what.json || !on_terminal())
    return run_once(s, [&](const trace_model& m, const request& r, output& out) { return run(m, r, 1000, out); });
  std::string trouble;
  {
    live_screen screen;
    do {
      const auto size = size_of_screen();
      if (s.width == 0)
        s.what.width = size.columns;
      const auto model = model_of(s.file);
      if (!model) {
        trouble = model.error();
        break;
      }
      output out;
      if (const auto code = run(*model, s.what, size.rows, out); !code) {
        trouble = code.error();
        break;
      }
      screen.show(out.text());
    } while (screen.wait(std::chrono::nanoseconds{*interval}));
  }
  return trouble.empty() ? 0 : complain(trouble);
}

int run_difference(const settings& s) {
  const auto before = model_of(s.file);
  if (!before)
    return complain(before.error());
  const auto after = model_of(s.other);
  if (!after)
    return complain(after.error());
  output out{stdout};
  return finished(run_diff(*before, *after, s.what, out), out);
}

/// What every command understands.
CLI::App* add(CLI::App& app, settings& s, const char* name, const char* help) {
  auto* c = app.add_subcommand(name, help);
  c->add_flag("--json", s.what.json, "Write JSON");
  c->add_option("--color,--colour", s.colour, "auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  c->add_option("--width", s.width, "Columns of a line (default: the terminal's)")->check(CLI::Range(40, 10'000));
  return c;
}

CLI::App* with_file(CLI::App* c, settings& s) {
  c->add_option("FILE", s.file, "A trace: a file, the folder of a process, or a process id")->required();
  return c;
}
void with_path(CLI::App* c, settings& s, const char* name, bool required) {
  c->add_option(name, s.what.path, "For example site/checkout/charge, worker#3, or id:42")->required(required);
}
void with_at(CLI::App* c, settings& s) {
  c->add_option("--at", s.what.at,
                "The moment: 1.5s or +1.5s since the beginning, -200ms before the end, @SECONDS since 1970, "
                "nanoseconds of the trace clock, begin, end");
}
void with_lists(CLI::App* c, settings& s) {
  c->add_flag("--all", s.what.all, "Fold nothing and leave nothing out");
  c->add_option("--top", s.what.top, "How many of a list are shown")->capture_default_str();
}

} // namespace

int run(int argc, char** argv) {
  CLI::App app{"What a system of Muster's actors did, or is doing.", "muster-trace"};
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Show the help of every command");
  settings s;
  int code = 0;
  const auto on = [&](CLI::App* c, command what) {
    c->callback([&code, &s, what = std::move(what)] { code = run_once(s, what); });
  };
  // CLI11 calls what is registered here after everything has been parsed, so the settings are complete by then.
  auto* c = with_file(add(app, s, "summary", "Statistics, the slowest, the most failing, the use of the lane"), s);
  with_lists(c, s);
  on(c, run_summary);

  c = with_file(add(app, s, "tree", "The supervision tree as it was at a moment"), s);
  with_path(c, s, "PATH", false);
  with_at(c, s);
  c->add_flag("--failed", s.what.failed, "Only what did not end well, and what is above it");
  c->add_flag("--all", s.what.all, "Fold nothing");
  c->add_option("--format", s.what.format, "text, json or dot")
      ->check(CLI::IsMember({"text", "json", "dot"}))
      ->capture_default_str();
  c->add_flag("--follow", s.follow, "Redraw it while the process runs; q leaves");
  c->add_flag("--once", s.once, "With --follow: once, and not on a screen of its own");
  c->add_option("--interval", s.interval, "Between two pictures")->capture_default_str();
  c->callback([&] {
    code = s.follow
               ? run_live(s, [](const auto& m, const auto& r, std::size_t, output& out) { return run_tree(m, r, out); })
               : run_once(s, run_tree);
  });

  c = with_file(add(app, s, "timeline", "Bars over time"), s);
  with_path(c, s, "--scope", false);
  c->add_flag("--failed", s.what.failed, "Only what did not end well, and what is above it");
  c->add_flag("--all", s.what.all, "Fold nothing");
  on(c, run_timeline);

  c = with_file(add(app, s, "blame", "Why something failed or was cancelled, the root first"), s);
  with_path(c, s, "PATH", false);
  c->add_flag("--all", s.what.all, "With all of what came before");
  on(c, run_blame);

  c = with_file(add(app, s, "waits", "Who waits for whom or what, circles, and who holds up the shutdown"), s);
  with_at(c, s);
  with_lists(c, s);
  on(c, run_waits);

  c = with_file(add(app, s, "critical", "The critical path of a scope"), s);
  with_path(c, s, "PATH", false);
  with_lists(c, s);
  on(c, run_critical);

  c = add(app, s, "diff", "Two runs: what is new, gone, slower, failing");
  c->add_option("A", s.file, "The run before")->required();
  c->add_option("B", s.other, "The run after")->required();
  c->add_option("--slower-by", s.what.slower_by, "How many times as long counts as slower")->capture_default_str();
  c->add_option("--slower-at-least", s.slower_at_least, "And how much longer at least")->capture_default_str();
  with_lists(c, s);
  c->callback([&] { code = run_difference(s); });

  c = with_file(add(app, s, "lint", "What deserves a look; 1 if there is something"), s);
  c->add_option("--slow-cancel", s.slow_cancel, "A task answers a cancel within this")->capture_default_str();
  c->add_option("--slow-release", s.slow_release, "A resource is released within this")->capture_default_str();
  c->add_option("--starved", s.starved, "A ready task gets a worker within this")->capture_default_str();
  c->add_option("--storm", s.what.storm, "So many restarts in 10 s are a storm")->capture_default_str();
  with_lists(c, s);
  on(c, run_lint);

  on(with_file(add(app, s, "check", "Whether the trace is whole: 0, or 1 if it is damaged, 2 if it is none"), s),
     run_check);

  c = with_file(add(app, s, "export", "In the format of another tool"), s);
  c->add_option("--to", s.to, "perfetto, chrome, otlp or dot")
    ->required()
    ->check(CLI::IsMember({"perfetto", "chrome", "otlp", "dot"}));
  c->add_option("-o,--output", s.written, "Where to (default: standard output)");
  on(c, [&s](const trace_model& m, const request& r, output& out) { return run_export(m, r, s.to, out); });

#ifdef MUSTER_TRACE_PAGE
  c = with_file(add(app, s, "html", "A page for the browser, in one file"), s);
  c->add_option("-o,--output", s.written, "Where to")->required();
  on(c, run_html);
#endif

  c = add(app, s, "ps", "The processes that record, or did");
  c->callback([&] {
    output out{stdout};
    code = finished(run_ps(list_processes(), s.what, out), out);
  });

  c = with_file(add(app, s, "top", "What a process is doing now, redrawn; q leaves"), s);
  c->add_option("--interval", s.interval, "Between two pictures")->capture_default_str();
  c->add_flag("--once", s.once, "Once, and not on a screen of its own");
  c->callback([&] { code = run_live(s, run_top); });

  c = with_file(add(app, s, "stuck", "Who has been at something longest, and who waits for that"), s);
  with_lists(c, s);
  on(c, run_stuck);

  const auto spans_understood = [&]() -> std::string {
    for (const auto& [text, into] :
         {std::pair{&s.slow_cancel, &s.what.slow_cancel}, std::pair{&s.slow_release, &s.what.slow_release},
          std::pair{&s.starved, &s.what.starved}, std::pair{&s.slower_at_least, &s.what.slower_at_least}}) {
      const auto span = parse_duration(*text);
      if (!span)
        return span.error();
      *into = *span;
    }
    s.what.width = s.width != 0 ? s.width : size_of_screen().columns;
    s.what.colour = s.colour == "always" || (s.colour == "auto" && wants_colour());
    return {};
  };
  for (auto* sub : app.get_subcommands({}))
    sub->parse_complete_callback([&] {
      if (const auto wrong = spans_understood(); !wrong.empty())
        throw CLI::ValidationError(wrong);
    });
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const auto shown = app.exit(e);
    return shown == 0 ? 0 : cannot_answer;
  }
  return code;
}

} // namespace muster::trace_viewer

int main(int argc, char** argv) {
  try {
    return muster::trace_viewer::run(argc, argv);
  } catch (const std::exception& e) {
    fmt::print(stderr, "muster-trace: {}\n", e.what());
    return 2;
  }
}
