/// What the commands have in common.
#include "command.hpp"

#include "text.hpp"

namespace muster::trace_viewer {

std::string paint(const request& what, tone how, std::string_view text) {
  if (!what.colour || how == tone::plain)
    return std::string{text};
  const char* code = "0";
  switch (how) {
    case tone::good:
      code = "32";
      break;
    case tone::bad:
      code = "31;1";
      break;
    case tone::warn:
      code = "33";
      break;
    case tone::dim:
      code = "2";
      break;
    case tone::strong:
      code = "1";
      break;
    case tone::plain:
      break;
  }
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

tone tone_of(state s) noexcept {
  switch (s) {
    case state::ok:
      return tone::good;
    case state::failed:
    case state::timed_out:
    case state::down:
      return tone::bad;
    case state::cancelled:
    case state::skipped:
    case state::stopping:
    case state::releasing:
    case state::half_open:
      return tone::warn;
    case state::unborn:
    case state::unknown:
      return tone::dim;
    default:
      return tone::plain;
  }
}

std::expected<std::int64_t, std::string> moment_of(const trace_model& model, const request& what) {
  if (what.at.empty())
    return model.end_ns();
  return parse_moment(what.at, model.begin_ns(), model.end_ns(), model.wall_ns(0));
}

void line(output& out, const request& what, std::string_view text) {
  out.write(fitted(text, what.width));
  out.write("\n");
}

void sentence(output& out, const request& what, std::string_view text, std::size_t indent) {
  out.write(wrapped(text, what.width, indent));
}

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

std::string losses(const trace_model& model) {
  const auto& data = model.data();
  std::string all;
  const auto add = [&](std::uint64_t n, std::string_view what) {
    if (n != 0)
      all += fmt::format("{}{}", all.empty() ? "" : ", ", counted(n, what));
  };
  add(data.events_dropped, "older event");
  add(data.strings_dropped, "text");
  add(data.torn, "torn record");
  add(data.unknown_kinds, "unknown record");
  return all.empty() ? all : "not in this trace: " + all;
}

} // namespace muster::trace_viewer
