/// Errors as text for people.
///
/// Owner: nobody, no state. Threads: any. Invariants: no recursion; the length of a text is bounded; what a text leaves
/// out is counted in it.
#include "error_node.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace muster {

namespace {

using detail::error_access;
using detail::error_node;

constexpr std::size_t deepest = 64;     // levels below the root
constexpr std::size_t longest = 1000;   // errors in one tree
constexpr std::size_t line_causes = 16; // causes in one line

/// The message, or what the code says if there is none.
std::string words(const error& e) { return e.message().empty() ? e.code().message() : e.message(); }

/// "[payment:7, declined]"; the words of the code are left out where the text has said them.
std::string code_label(const error& e, std::string_view said) {
  const std::string meaning = e.code().message();
  if (meaning.empty() || said.find(meaning) != std::string_view::npos)
    return fmt::format("[{}:{}]", e.code().category().name(), e.code().value());
  return fmt::format("[{}:{}, {}]", e.code().category().name(), e.code().value(), meaning);
}

std::string with_breaks_as(std::string_view text, std::string_view replacement) {
  std::string out;
  for (const char c : text)
    if (c == '\n')
      out += replacement;
    else if (c != '\r')
      out += c;
  return out;
}

/// How many errors there are in something that is not printed.
struct tally {
  std::size_t causes = 0;
  std::size_t later = 0;

  std::string text() const {
    std::string out = "… ";
    if (causes > 0)
      out += fmt::format("{} more cause{}", causes, causes == 1 ? "" : "s");
    if (later > 0)
      out += fmt::format("{}{} more later error{}", causes > 0 ? " and " : "", later, later == 1 ? "" : "s");
    return out;
  }
};

/// Counts the distinct errors in what is left out. One object counts each of them once, however it is reached.
class counter {
public:
  void add_cause(const error& e) { add(e, &tally::causes); }
  void add_later(const error& e) { add(e, &tally::later); }
  const tally& counted() const { return counted_; }

private:
  void add(const error& first, std::size_t tally::*as) {
    std::vector<std::pair<const error*, std::size_t tally::*>> to_visit{{&first, as}};
    while (!to_visit.empty()) {
      auto [e, kind] = to_visit.back();
      to_visit.pop_back();
      for (; e != nullptr; e = e->cause(), kind = &tally::causes) {
        const error_node& node = error_access::node(*e);
        if (node.is_shared() && !visited_.insert(&node).second)
          break;
        ++(counted_.*kind);
        for (const error& later : e->later())
          to_visit.emplace_back(&later, &tally::later);
      }
    }
  }

  std::unordered_set<const error_node*> visited_;
  tally counted_;
};

/// A place in the tree: an error that is printed, and which of its children comes next (0: the cause).
struct place {
  const error* whole;
  std::size_t next_child;
};

void print_error(std::string& out, const error& e, std::size_t depth, std::string_view label) {
  const std::string indent(2 * depth, ' ');
  const std::string said = words(e);
  out += fmt::format("{}{}{}{}{} {}", indent, label, e.path(), e.path().empty() ? "" : ": ",
                     with_breaks_as(said, "\n" + indent + "    "), code_label(e, said));
}

} // namespace

std::string to_string(const error& root) {
  std::string out;
  print_error(out, root, 0, "");
  std::size_t printed = 1;
  counter cut_short; // what is not printed because the tree is too long
  std::vector<place> path{{&root, 0}};
  while (!path.empty()) {
    auto& [whole, next_child] = path.back();
    const bool is_cause = next_child == 0;
    const auto later = whole->later();
    if (next_child > later.size()) {
      path.pop_back();
      continue;
    }
    const error* child = is_cause ? whole->cause() : &later[next_child - 1];
    ++next_child;
    if (child == nullptr)
      continue;
    if (printed >= longest) {
      is_cause ? cut_short.add_cause(*child) : cut_short.add_later(*child);
      continue;
    }
    const std::size_t depth = path.size();
    if (depth > deepest) { // one line for all children of this place
      counter left_out;
      if (is_cause)
        left_out.add_cause(*child);
      for (const error& e : later)
        left_out.add_later(e);
      next_child = later.size() + 1;
      out += '\n';
      out.append(2 * depth, ' ');
      out += left_out.counted().text();
      continue;
    }
    out += '\n';
    print_error(out, *child, depth, is_cause ? "caused by: " : "and then: ");
    ++printed;
    path.push_back({child, 0});
  }
  if (cut_short.counted().causes + cut_short.counted().later > 0)
    out += "\n" + cut_short.counted().text();
  return out;
}

std::string detail::words_of_chain(const error& e) {
  std::vector<std::string> said{words(e)};
  const error* cause = e.cause();
  for (; cause != nullptr && said.size() <= line_causes; cause = cause->cause())
    said.push_back(words(*cause));
  if (cause != nullptr) {
    tally more;
    for (; cause != nullptr; cause = cause->cause())
      ++more.causes;
    said.push_back(more.text());
  }
  std::string out;
  for (; !said.empty(); said.pop_back()) {
    std::string& text = said.back();
    if (!text.ends_with(out)) // a message may quote its cause already
      text += ": " + out;
    out = std::move(text);
  }
  return with_breaks_as(out, " ");
}

std::string to_line(const error& e) {
  std::string out = detail::words_of_chain(e);
  out = fmt::format("{}{}{} {}", e.path(), e.path().empty() ? "" : ": ", out, code_label(e, out));
  if (const std::size_t later = e.later().size(); later > 0)
    out += fmt::format(" (and {} later error{})", later, later == 1 ? "" : "s");
  return out;
}

} // namespace muster
