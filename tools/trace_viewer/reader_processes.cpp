/// What lies in the trace folders. See reader.hpp.
#include "reader.hpp"

#include "trace_file.hpp"
#include "trace_folder.hpp"

#include <algorithm>
#include <fstream>
#include <optional>

namespace muster::trace_viewer {

namespace {

namespace fs = std::filesystem;

/// The entry for a ring's file; nothing if it is none. `shown`: what is to be given to read_trace.
[[nodiscard]] std::optional<process_entry> entry_of(const fs::path& ring, const fs::path& shown) {
  std::vector<std::byte> first(trace_format::page);
  std::ifstream in{ring, std::ios::binary};
  if (!in.read(reinterpret_cast<char*>(first.data()), static_cast<std::streamsize>(first.size())))
    return std::nullopt;
  const auto head = header_of(first);
  if (!head)
    return std::nullopt;
  const auto& facts = head->facts;
  return process_entry{.pid = facts.pid,
                       .program = {facts.program.begin(), std::ranges::find(facts.program, '\0')},
                       .running = runtime::has_owner(ring),
                       .file = shown,
                       .started_wall_ns = facts.wall_anchor_ns};
}

} // namespace

std::vector<process_entry> list_processes() {
  std::vector<process_entry> out;
  for (const auto& folder : runtime::usual_trace_folders()) {
    std::error_code failed;
    for (fs::directory_iterator at{folder, failed}, end; !failed && at != end; at.increment(failed)) {
      const auto& path = at->path();
      const auto name = path.filename().string();
      // What was written out of a ring (its name has a +) is no process.
      if (runtime::process_in(name).empty() || name.contains('+'))
        continue;
      std::error_code ignored;
      const auto ring = at->is_directory(ignored) ? path / ("ring" + std::string{trace_format::extension}) : path;
      if (auto one = entry_of(ring, path))
        out.push_back(std::move(*one));
    }
  }
  std::ranges::sort(out, std::greater<>{}, &process_entry::started_wall_ns);
  return out;
}

} // namespace muster::trace_viewer
