/// Several walks as one: see forest.hpp.
#include "forest.hpp"

#include <algorithm>

namespace checksum {

namespace {
constexpr auto greater_path = [](const auto& a, const auto& b) { return a.path > b.path; };
}

forest::forest(const std::vector<std::string>& starts) {
  walks_.reserve(starts.size());
  for (const auto& start : starts) {
    walks_.emplace_back(start);
    push({.start = walks_.size() - 1, .path = start, .begun = false});
  }
}

std::optional<forest::found> forest::next() {
  for (;;) {
    if (!current_) {
      if (heap_.empty())
        return {};
      const auto first = pop();
      current_ = first.start;
      if (first.begun)
        return found{first.start, first.file};
    }
    const auto start = *current_;
    auto what = walks_[start].next();
    if (!what) {
      current_.reset();
    } else if (what->what == step::kind::file && comes_later(*what)) {
      std::string path{what->folder};
      push({.start = start, .path = path.append(what->name), .file = *what});
      current_.reset();
    } else {
      return found{start, *what};
    }
  }
}

/// Is another walk's turn before this file's?
bool forest::comes_later(const step& file) const {
  if (heap_.empty())
    return false;
  const std::string_view other = heap_.front().path;
  if (const auto order = file.folder.compare(other.substr(0, file.folder.size())); order != 0)
    return order > 0;
  return file.name > other.substr(file.folder.size());
}

void forest::push(waiting one) {
  heap_.push_back(std::move(one));
  std::ranges::push_heap(heap_, greater_path);
}

forest::waiting forest::pop() {
  std::ranges::pop_heap(heap_, greater_path);
  auto first = std::move(heap_.back());
  heap_.pop_back();
  return first;
}

} // namespace checksum
