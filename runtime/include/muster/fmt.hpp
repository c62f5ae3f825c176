/// Formatters for libfmt: the one public header with fmt in it, for programs that use fmt themselves.
///
///     fmt::print("{}\n", e);    // one line:  site/checkout/charge: charging card: card declined [payment:7]
///     fmt::print("{:t}\n", e);  // the tree that to_string(e) gives
///     fmt::print("{:>12}", muster::errc::cancelled);
///
/// Owner: nobody, no state. Threads: any. Every formatter takes fmt's options for strings (width, fill, precision).
#pragma once

#include <muster/api.hpp>
#include <muster/cancel.hpp>
#include <muster/error.hpp>
#include <muster/priority.hpp>

#include <fmt/format.h>
// std::error_code is not ours to format: fmt has a formatter of its own ("category:value"), which moved in version 10.
#if FMT_VERSION >= 100000
#include <fmt/std.h>
#else
#include <fmt/os.h>
#endif

#include <string>
#include <string_view>

MUSTER_API_BEGIN

/// @cond specialisations

/// `{}`: `muster::to_line`; `{:t}`: `muster::to_string`.
template <>
struct fmt::formatter<muster::error> : fmt::formatter<std::string_view> {
  template <class Context>
  constexpr auto parse(Context& context) -> decltype(context.begin()) {
    const auto first = context.begin();
    // "t" alone, so that "{:t>20}" still fills with a t
    if (first != context.end() && *first == 't' && (first + 1 == context.end() || *(first + 1) == '}')) {
      tree_ = true;
      return first + 1;
    }
    return fmt::formatter<std::string_view>::parse(context);
  }
  template <class Context>
  auto format(const muster::error& e, Context& context) const {
    return fmt::formatter<std::string_view>::format(tree_ ? to_string(e) : to_line(e), context);
  }

private:
  bool tree_ = false;
};

/// The text of the code: "timed out".
template <>
struct fmt::formatter<muster::errc> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(muster::errc code, Context& context) const {
    return fmt::formatter<std::string_view>::format(make_error_code(code).message(), context);
  }
};

/// As `muster::to_string`.
template <>
struct fmt::formatter<muster::cancel_kind> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(muster::cancel_kind kind, Context& context) const {
    return fmt::formatter<std::string_view>::format(to_string(kind), context);
  }
};

/// As `muster::to_string`.
template <>
struct fmt::formatter<muster::cancel_reason> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const muster::cancel_reason& reason, Context& context) const {
    return fmt::formatter<std::string_view>::format(to_string(reason), context);
  }
};

/// "low", "normal", "high".
template <>
struct fmt::formatter<muster::priority> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(muster::priority urgency, Context& context) const {
    const std::string_view text = urgency == muster::priority::low    ? "low"
                                  : urgency == muster::priority::high ? "high"
                                                                      : "normal";
    return fmt::formatter<std::string_view>::format(text, context);
  }
};

/// @endcond

MUSTER_API_END
