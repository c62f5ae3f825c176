/// The walk: see walk.hpp.
#include "walk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

namespace checksum {

namespace {

/// DT_DIR, DT_REG, or anything else for what does not concern us. Some file systems do not say it with the name.
unsigned char type_of(DIR* folder, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN)
    return entry.d_type;
  struct stat about {};
  if (fstatat(dirfd(folder), entry.d_name, &about, AT_SYMLINK_NOFOLLOW) != 0)
    return DT_REG; // opening it will tell the reason
  return S_ISDIR(about.st_mode) ? DT_DIR : S_ISREG(about.st_mode) ? DT_REG : DT_UNKNOWN;
}

} // namespace

std::optional<step> walk::next() {
  if (!begun_)
    return begin();
  if (unread_)
    return step{.what = step::kind::fault, .folder = path_, .error = std::exchange(unread_, {})};
  if (levels_.empty())
    return {};
  level& here = levels_.back();
  if (here.at == here.names.size())
    return leave();
  const std::string_view name = here.names[here.at++];
  if (name.ends_with('/'))
    return enter(name.substr(0, name.size() - 1));
  return step{.what = step::kind::file, .folder = path_, .name = name};
}

std::optional<step> walk::begin() {
  begun_ = true;
  struct stat about {};
  if (lstat(start_.c_str(), &about) != 0)
    return step{.what = step::kind::fault, .name = start_, .error = last_error()};
  if (S_ISDIR(about.st_mode))
    return enter(start_);
  if (S_ISREG(about.st_mode))
    return step{.what = step::kind::file, .name = start_};
  return {};
}

step walk::enter(std::string_view name) {
  level inside{.above = path_.size()};
  path_ += name;
  if (auto folder = open_path(path_, O_DIRECTORY)) {
    unread_ = read_names(std::move(*folder), inside);
  } else {
    path_.resize(inside.above);
    return {.what = step::kind::fault, .folder = path_, .name = name, .error = folder.error()};
  }
  if (!path_.ends_with('/'))
    path_ += '/';
  levels_.push_back(std::move(inside));
  return {.what = step::kind::enter, .folder = path_, .name = name};
}

step walk::leave() {
  path_.resize(levels_.back().above);
  levels_.pop_back();
  return {.what = step::kind::leave};
}

std::error_code walk::read_names(descriptor folder, level& into) {
  const auto close = [](DIR* open) { closedir(open); };
  const std::unique_ptr<DIR, decltype(close)> entries{fdopendir(folder.number())};
  if (!entries)
    return last_error();
  static_cast<void>(folder.release()); // closed with `entries`

  std::vector<std::size_t> ends;
  errno = 0;
  while (const dirent* const entry = readdir(entries.get())) {
    const std::string_view name = entry->d_name;
    const auto type = type_of(entries.get(), *entry);
    if (type == DT_REG || (type == DT_DIR && name != "." && name != "..")) {
      into.text.insert(into.text.end(), name.begin(), name.end());
      if (type == DT_DIR)
        into.text.push_back('/');
      ends.push_back(into.text.size());
    }
    errno = 0;
  }
  const auto problem = errno != 0 ? last_error() : std::error_code{};

  into.names.reserve(ends.size());
  std::size_t begin = 0;
  for (const auto end : ends) {
    into.names.emplace_back(into.text.data() + begin, end - begin);
    begin = end;
  }
  std::ranges::sort(into.names);
  return problem;
}

} // namespace checksum
