/// Reading a file, or a folder of files of one recorder. See reader.hpp.
#include "reader.hpp"

#include "trace_file.hpp"
#include "trace_folder.hpp"

#include <muster/trace_format.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

namespace muster::trace_viewer {

namespace {

namespace fs = std::filesystem;

[[nodiscard]] std::expected<trace_data, std::string> read_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator at{folder, failed}, end; !failed && at != end; at.increment(failed)) {
    const auto name = at->path().filename().string();
    if (!name.starts_with('.') && name.ends_with(trace_format::extension))
      files.push_back(at->path());
  }
  if (failed)
    return std::unexpected{fmt::format("{}: {}", folder.string(), failed.message())};
  // Pieces by their numbers, the ring (whose name is no number) last: it is the newest.
  std::ranges::sort(files);

  trace_data data;
  gathered all{data};
  const bool live = runtime::has_owner(folder / ("ring" + std::string{trace_format::extension}));
  std::string first_error;
  std::size_t good = 0;
  for (const auto& file : files) {
    all.problems.in(file.filename().string());
    std::expected<void, std::string> done;
    if (auto image = file_image::of(file))
      done = gather(image->bytes(), live || image->live(), all);
    else
      done = std::unexpected{std::move(image).error()};
    if (done) {
      ++good;
      continue;
    }
    all.problems.add(0, done.error());
    if (first_error.empty())
      first_error = fmt::format("{}: {}", file.string(), done.error());
  }
  if (good == 0)
    return std::unexpected{files.empty() ? fmt::format("{}: there is no trace in this folder", folder.string())
                                         : first_error};
  all.problems.in({});
  assemble(all);
  return data;
}

} // namespace

std::expected<trace_data, std::string> read_trace(const fs::path& file) {
  std::error_code failed;
  if (fs::is_directory(file, failed))
    return read_folder(file);
  trace_data data;
  gathered all{data};
  {
    auto image = file_image::of(file);
    if (!image)
      return std::unexpected{fmt::format("{}: {}", file.string(), image.error())};
    if (auto done = gather(image->bytes(), image->live(), all); !done)
      return std::unexpected{fmt::format("{}: {}", file.string(), done.error())};
  }
  assemble(all);
  return data;
}

std::expected<trace_data, std::string> read_trace_bytes(std::span<const std::byte> bytes) {
  trace_data data;
  gathered all{data};
  if (auto done = gather(file_image::copy_of(bytes).bytes(), false, all); !done)
    return std::unexpected{std::move(done).error()};
  assemble(all);
  return data;
}

} // namespace muster::trace_viewer
