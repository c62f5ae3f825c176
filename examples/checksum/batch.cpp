/// The task bodies: see batch.hpp.
#include "batch.hpp"

namespace checksum {

namespace {

/// Fails only when the task has been asked to stop.
muster::result<answer> hash(muster::context& ctx, open_file file, tally& counts) {
  auto sum = digest_of(ctx, std::move(file), counts.bytes);
  if (!sum && ctx.cancelled())
    return std::unexpected{std::move(sum).error()};
  if (!sum)
    return sum.error().code();
  counts.hashed.fetch_add(1, std::memory_order_relaxed);
  return *sum;
}

/// Also opens it.
muster::result<answer> hash(muster::context& ctx, const std::string& path, tally& counts) {
  if (auto file = open_regular(path))
    return hash(ctx, std::move(*file), counts);
  else
    return file.error();
}

muster::result<answers> hash_all(muster::context& ctx, const batch& files, tally& counts) {
  answers done;
  done.reserve(files.names.size());
  for (const auto& name : files.names) {
    std::string path = *files.folder + name;
    auto file = open_regular(path);
    if (!file) {
      done.emplace_back(file.error());
    } else if (file->size > block_size && files.names.size() > 1) {
      done.emplace_back(files.crew.execute(
          {.name = name, .priority = muster::priority::high},
          [path = std::move(path), &counts](muster::context& own) { return hash(own, path, counts); }));
    } else if (auto one = hash(ctx, std::move(*file), counts)) {
      std::visit([&](const auto& got) { done.emplace_back(got); }, *one);
    } else {
      break;
    }
  }
  return done;
}

} // namespace

muster::task<answers> start(std::shared_ptr<const batch> files, tally& counts) {
  auto& crew = files->crew;
  const std::string_view name = files->names.front();
  return crew.execute(
      name, [files = std::move(files), &counts](muster::context& ctx) { return hash_all(ctx, *files, counts); });
}

} // namespace checksum
