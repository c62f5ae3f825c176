/// What an `error` points to.
///
/// Owner: the errors that point to it, by count. Threads: any; read only, once an error points to it. Invariants: a
/// node has an origin; a node made of another one, or around another one as its cause, has the origin of that one.
#pragma once

#include "disposal.hpp"
#include "shared_node.hpp"

#include <muster/error.hpp>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace muster::detail {

/// The identity of one originating failure: its address. Shared by everything that was made of that failure.
struct error_origin {
  mutable std::atomic<bool> reported{false};
};

/// A text that the nodes made of one another share; nothing if it is empty.
class shared_text {
public:
  shared_text() = default;
  explicit shared_text(std::string text)
      : text_{text.empty() ? nullptr : std::make_shared<const std::string>(std::move(text))} {}
  [[nodiscard]] const std::string& get() const noexcept { return text_ ? *text_ : none(); }

private:
  static const std::string& none() noexcept;
  std::shared_ptr<const std::string> text_;
};

struct error_node : runtime::shared_node<error_node> {
  explicit error_node(std::shared_ptr<const error_origin> from) noexcept : origin{std::move(from)} {}
  error_node(std::error_code c, std::string m)
      : origin{std::make_shared<const error_origin>()},
        code{c},
        message{std::move(m)} {}
  ~error_node() {
    if (exception)
      if (auto* elsewhere = runtime::disposal::here())
        elsewhere->take(std::move(exception));
  }

  std::shared_ptr<const error_origin> origin;
  std::error_code code;
  shared_text message;
  std::string path;
  std::optional<error> cause;
  std::shared_ptr<const std::vector<error>> later; // null if there are none; shared by the nodes made of this one
  std::exception_ptr exception;
  std::optional<std::chrono::nanoseconds> retry_after;
};

/// The door from an error to its node, for the library.
struct error_access {
  static const error_node& node(const error& e) noexcept { return e.node(); }
  /// Takes over one reference.
  static error adopt(const error_node* owned) noexcept { return error{owned}; }
  /// `e` as an effect of `cause`: caused by it, and not a failure of its own but the same one.
  static error as_effect(const error& e, const error& cause);
  /// `e` with another code and message, still the same failure.
  static error restated(const error& e, std::error_code code, std::string message);
};

/// The messages of the error and its causes, joined by ": ", in one line; of more than 16 causes the rest is counted.
std::string words_of_chain(const error& e);

} // namespace muster::detail
