/// Errors as shared immutable nodes. The codes are in errc.cpp, how errors are printed in error_text.cpp.
///
/// Owner: the errors that point to a node. Threads: any. Invariants: a node is written only by the function that makes
/// it, before anyone else sees it; every walk is a loop; identity (`error_origin`) is made once for a failure and from
/// then on only passed on.
#include "error_node.hpp"
#include "immortal.hpp"

#include <memory>
#include <new>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

namespace muster {

// --- nodes -----------------------------------------------------------------------------------------------------------

namespace {

using detail::error_access;
using detail::error_node;

struct fixed_nodes {
  error_node moved_from{errc::bad_argument, "a moved-from error"};
  error_node no_memory{std::make_error_code(std::errc::not_enough_memory), "no memory left to record an exception"};
};

/// Nodes that need no memory when they are needed; made before main, for ever there.
const fixed_nodes& fixed() {
  static const runtime::immortal<fixed_nodes> only;
  return only.value;
}
[[maybe_unused]] const fixed_nodes& made_early = fixed();

/// Copies everything, so that one field can then be changed.
std::unique_ptr<error_node> copy_of(const error_node& from) {
  auto node = std::make_unique<error_node>(from.origin);
  node->code = from.code;
  node->message = from.message;
  node->path = from.path;
  node->cause = from.cause;
  node->later = from.later;
  node->exception = from.exception;
  node->retry_after = from.retry_after;
  return node;
}

error finish(std::unique_ptr<error_node> node) noexcept { return error_access::adopt(node.release()); }

} // namespace

const std::string& detail::shared_text::none() noexcept {
  static const runtime::immortal<std::string> nothing;
  return nothing.value;
}

error::error(std::error_code code, std::string message) : node_{new error_node{code, std::move(message)}} {}

error::error(error cause, std::string message) : node_{nullptr} {
  auto node = std::make_unique<error_node>(cause.node().origin);
  node->code = cause.code();
  node->message = detail::shared_text{std::move(message)};
  node->cause = std::move(cause);
  node_ = node.release();
}

error::error(const error& other) noexcept : node_{other.node_} { error_node::retain(node_); }

error& error::operator=(const error& other) noexcept {
  error_node::retain(other.node_);
  error_node::release(std::exchange(node_, other.node_));
  return *this;
}

error& error::operator=(error&& other) noexcept {
  const error_node* taken = std::exchange(other.node_, nullptr);
  error_node::release(std::exchange(node_, taken));
  return *this;
}

error::~error() { error_node::release(node_); }

const error_node& error::node() const noexcept { return node_ != nullptr ? *node_ : fixed().moved_from; }

const std::error_code& error::code() const noexcept { return node().code; }
const std::string& error::message() const noexcept { return node().message.get(); }
const std::string& error::path() const noexcept { return node().path; }
const error* error::cause() const noexcept { return node().cause ? &*node().cause : nullptr; }
const std::exception_ptr& error::exception() const noexcept { return node().exception; }

std::span<const error> error::later() const noexcept {
  if (!node().later)
    return {};
  return *node().later;
}

bool error::is(const std::error_code& wanted) const noexcept {
  for (const error* e = this; e != nullptr; e = e->cause())
    if (e->code() == wanted)
      return true;
  return false;
}

bool error::is(const std::error_condition& wanted) const noexcept {
  for (const error* e = this; e != nullptr; e = e->cause())
    if (e->code() == wanted)
      return true;
  return false;
}

error error::with_path(std::string path) const {
  auto node = copy_of(this->node());
  node->path = std::move(path);
  return finish(std::move(node));
}

error error::with_cause(error cause) const {
  auto node = copy_of(this->node());
  node->cause = std::move(cause);
  return finish(std::move(node));
}

error error::with_later(std::vector<error> more) const {
  if (more.empty())
    return *this;
  auto node = copy_of(this->node());
  if (node->later)
    more.insert(more.begin(), node->later->begin(), node->later->end());
  node->later = std::make_shared<const std::vector<error>>(std::move(more));
  return finish(std::move(node));
}

error error::with_exception(std::exception_ptr exception) const {
  auto node = copy_of(this->node());
  node->exception = std::move(exception);
  return finish(std::move(node));
}

error error::with_retry_after(std::chrono::nanoseconds d) const {
  auto node = copy_of(this->node());
  node->retry_after = d;
  return finish(std::move(node));
}

std::optional<std::chrono::nanoseconds> retry_after(const error& e) noexcept {
  for (const error* at = &e; at != nullptr; at = at->cause())
    if (const auto& d = error_access::node(*at).retry_after)
      return d;
  return std::nullopt;
}

error detail::error_access::as_effect(const error& e, const error& cause) {
  auto node = copy_of(e.node());
  node->origin = cause.node().origin;
  node->cause = cause;
  return finish(std::move(node));
}

error detail::error_access::restated(const error& e, std::error_code code, std::string message) {
  auto node = copy_of(e.node());
  node->code = code;
  node->message = detail::shared_text{std::move(message)};
  return finish(std::move(node));
}

// --- exceptions ------------------------------------------------------------------------------------------------------

namespace {

/// What one exception says, without those nested in it.
struct exception_facts {
  std::optional<error> carried; // it is only the vehicle of this error
  std::error_code code = errc::exception;
  std::string text;
  std::exception_ptr nested;
};

std::string text_of(const std::exception& e) {
  const char* what = e.what();
  return what != nullptr ? what : "";
}

exception_facts examine(const std::exception_ptr& thrown) {
  exception_facts facts;
  try {
    std::rethrow_exception(thrown);
  } catch (const cancelled_error& e) {
    facts.carried = e.error();
  } catch (const std::bad_expected_access<error>& e) {
    facts.carried = e.error();
  } catch (const std::bad_expected_access<std::error_code>& e) {
    facts.code = e.error();
  } catch (const std::system_error& e) {
    facts.code = e.code();
    facts.text = text_of(e);
  } catch (const std::exception& e) {
    facts.text = text_of(e);
  } catch (...) {
    facts.text = "an exception not derived from std::exception";
  }
  if (!facts.carried)
    try {
      std::rethrow_exception(thrown);
    } catch (const std::nested_exception& e) {
      facts.nested = e.nested_ptr();
    } catch (...) {}
  return facts;
}

error recorded(std::exception_ptr thrown, std::string path) {
  // Collected from the outside in, built from the inside out: a loop however deep they are nested.
  std::vector<std::pair<std::exception_ptr, exception_facts>> levels;
  while (thrown) {
    auto facts = examine(thrown);
    auto nested = facts.nested;
    levels.emplace_back(std::move(thrown), std::move(facts));
    thrown = std::move(nested);
  }
  std::optional<error> whole;
  for (; !levels.empty(); levels.pop_back()) {
    auto& [exception, facts] = levels.back();
    if (facts.carried) {
      whole = std::move(facts.carried);
      continue;
    }
    auto node = whole ? std::make_unique<error_node>(error_access::node(*whole).origin)
                      : std::make_unique<error_node>(std::make_shared<detail::error_origin>());
    node->code = facts.code;
    node->message = detail::shared_text{std::move(facts.text)};
    node->cause = std::move(whole);
    node->exception = std::move(exception);
    whole = finish(std::move(node));
  }
  if (!path.empty() && whole->path().empty())
    return whole->with_path(std::move(path));
  return std::move(*whole);
}

} // namespace

error error::from_exception(std::exception_ptr thrown, std::string path) noexcept {
  try {
    if (!thrown)
      return error{errc::bad_argument, "an exception_ptr without an exception"}.with_path(std::move(path));
    return recorded(std::move(thrown), std::move(path));
  } catch (...) { // only std::bad_alloc comes from in there
    error_node::retain(&fixed().no_memory);
    return error{&fixed().no_memory};
  }
}

const char* cancelled_error::what() const noexcept {
  return error_.message().empty() ? "cancelled" : error_.message().c_str();
}

// --- identity --------------------------------------------------------------------------------------------------------

bool same_origin(const error& a, const error& b) noexcept { return detail::origin_of(a) == detail::origin_of(b); }

bool mentions(const error& whole, const error& part) { return detail::mentions_origin(whole, detail::origin_of(part)); }

bool detail::mentions_origin(const error& whole, const void* wanted) {
  if (origin_of(whole) == wanted)
    return true;
  std::vector<const error*> to_visit{&whole};
  std::unordered_set<const error_node*> visited;
  while (!to_visit.empty()) {
    const error* e = to_visit.back();
    to_visit.pop_back();
    for (; e != nullptr; e = e->cause()) {
      if (detail::origin_of(*e) == wanted)
        return true;
      const error_node& node = error_access::node(*e);
      // Only what is shared can be met twice; without this two paths to one cause would double at every level.
      if (node.is_shared() && !visited.insert(&node).second)
        break;
      for (const error& later : e->later())
        to_visit.push_back(&later);
    }
  }
  return false;
}

const void* detail::origin_of(const error& e) noexcept { return error_access::node(e).origin.get(); }

bool detail::claim_report(const error& e) noexcept {
  return !error_access::node(e).origin->reported.exchange(true, std::memory_order_relaxed);
}

} // namespace muster
