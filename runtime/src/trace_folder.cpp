/// Opening, naming and cleaning up of trace folders. See trace_folder.hpp.
#include "trace_folder.hpp"

#include <muster/trace_format.hpp>

#include <fmt/format.h>

#include <dirent.h>
#include <errno.h> // program_invocation_short_name
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <map>
#include <mutex>
#include <utility>

namespace muster::runtime {

namespace {

std::string why() { return std::generic_category().message(errno); }

[[nodiscard]] bool owned(int fd) noexcept {
  return ::flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/// The start of a process in its name, to put the newest first; names that have none come last.
[[nodiscard]] std::uint64_t start_in(std::string_view process) noexcept {
  const auto dash = process.rfind('-');
  return dash == std::string_view::npos ? 0 : std::strtoull(std::string{process.substr(dash + 1)}.c_str(), nullptr, 16);
}

} // namespace

file_descriptor::file_descriptor(file_descriptor&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {}
file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}
file_descriptor::~file_descriptor() { close(); }
bool file_descriptor::close() noexcept { return fd_ < 0 || ::close(std::exchange(fd_, -1)) == 0; }

std::vector<std::filesystem::path> usual_trace_folders() {
  if (const char* said = std::getenv("MUSTER_TRACE_DIR"); said != nullptr && *said != '\0')
    return {said};
  std::vector<std::filesystem::path> out;
  if (const char* session = std::getenv("XDG_RUNTIME_DIR"); session != nullptr && *session == '/')
    out.push_back(std::filesystem::path{session} / "muster");
  std::error_code none;
  const auto temporary = std::filesystem::temp_directory_path(none);
  out.push_back((none ? std::filesystem::path{"/tmp"} : temporary) / ("muster-" + std::to_string(::geteuid())));
  return out;
}

std::expected<trace_folder, std::string> trace_folder::open(const std::filesystem::path& path) {
  const auto refuse = [&](std::string reason) {
    return std::unexpected{fmt::format("{}: {}", path.string(), reason)};
  };
  const bool made = ::mkdir(path.c_str(), S_IRWXU) == 0;
  if (!made && errno != EEXIST)
    return refuse(why());
  file_descriptor fd{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
  if (!fd.ok())
    return refuse(errno == ELOOP || errno == ENOTDIR ? "it is a symbolic link or no folder" : why());
  struct stat is {};
  if (::fstat(fd.get(), &is) != 0)
    return refuse(why());
  if (is.st_uid != ::geteuid())
    return refuse("the folder is somebody else's");
  if (made) // the umask may have taken some of it
    static_cast<void>(::fchmod(fd.get(), S_IRWXU));
  else if ((is.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    return refuse("others may write to the folder");
  return trace_folder{path, std::move(fd)};
}

std::expected<trace_folder, std::string> trace_folder::open_any(const std::vector<std::filesystem::path>& paths) {
  std::string first;
  for (const auto& path : paths) {
    auto folder = open(path);
    if (folder)
      return folder;
    if (first.empty())
      first = std::move(folder).error();
  }
  return std::unexpected{std::move(first)};
}

std::expected<file_descriptor, std::string> trace_folder::create_locked(const std::string& name) const {
  static std::atomic<unsigned> made{0};
  const auto unnamed = fmt::format(".new-{}-{}-{}", ::getpid(), made.fetch_add(1), name);
  const auto failed = [&] { return std::unexpected{fmt::format("{}: {}", (path_ / name).string(), why())}; };
  file_descriptor fd{
    ::openat(fd_.get(), unnamed.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!fd.ok())
    return failed();
  if (::fchmod(fd.get(), S_IRUSR | S_IWUSR) != 0 || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 ||
      ::renameat(fd_.get(), unnamed.c_str(), fd_.get(), name.c_str()) != 0) {
    auto out = failed();
    ::unlinkat(fd_.get(), unnamed.c_str(), 0);
    return out;
  }
  return fd;
}

void trace_folder::remove_dead(std::size_t keep) const noexcept try {
  struct process {
    bool lives = false;
    std::vector<std::string> names;
  };
  std::map<std::string, process, std::less<>> all;
  const int again = ::openat(fd_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = ::fdopendir(again);
  if (listing == nullptr) {
    ::close(again);
    return;
  }
  while (const dirent* entry = ::readdir(listing)) {
    const std::string name{entry->d_name};
    struct stat is {};
    if (::fstatat(fd_.get(), name.c_str(), &is, AT_SYMLINK_NOFOLLOW) != 0 || is.st_uid != ::geteuid())
      continue;
    if (name.starts_with(".new-") && S_ISREG(is.st_mode)) {
      // Its maker gave it no name within an hour: it is dead.
      if (::time(nullptr) - is.st_mtime > 3600)
        ::unlinkat(fd_.get(), name.c_str(), 0);
      continue;
    }
    const auto whose = process_in(name);
    if (whose.empty() || !(S_ISREG(is.st_mode) || S_ISDIR(is.st_mode)))
      continue;
    auto& one = all[std::string{whose}];
    one.lives = one.lives || has_owner(S_ISDIR(is.st_mode) ? path_ / name / "ring.muster" : path_ / name);
    one.names.push_back(name);
  }
  ::closedir(listing);

  std::vector<std::pair<std::uint64_t, const process*>> dead;
  for (const auto& [name, one] : all)
    if (!one.lives && name != name_of_this_process())
      dead.emplace_back(start_in(name), &one);
  std::ranges::sort(dead, std::greater<>{}, &std::pair<std::uint64_t, const process*>::first);
  for (std::size_t i = keep; i < dead.size(); ++i)
    for (const auto& name : dead[i].second->names) {
      std::error_code ignored; // somebody else may be cleaning up too
      std::filesystem::remove_all(path_ / name, ignored);
    }
} catch (...) {
  // Without memory there is no cleaning up this time.
}

bool has_owner(const std::filesystem::path& file) noexcept {
  const file_descriptor fd{::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
  return fd.ok() && owned(fd.get());
}

std::string program_name() {
  const char* name = program_invocation_short_name;
  return name != nullptr && *name != '\0' ? name : "?";
}

std::string name_of_this_process() {
  static std::mutex mutex;
  static std::pair<pid_t, std::string> known;
  const std::lock_guard guard{mutex};
  if (known.first != ::getpid()) {
    auto program = program_name().substr(0, 32);
    std::ranges::replace_if(
      program, [](unsigned char c) { return std::isalnum(c) == 0 && c != '_' && c != '-'; }, '_');
    const auto now = std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds{1};
    known = {::getpid(), fmt::format("{}-{}-{:x}", program, ::getpid(), now)};
  }
  return known.second;
}

std::string_view process_in(std::string_view file_name) noexcept {
  if (file_name.starts_with('.') || !(file_name.ends_with(trace_format::extension) || file_name.ends_with(".d")))
    return {};
  const auto process = file_name.substr(0, file_name.find('.'));
  const auto start = process.rfind('-');
  if (start == std::string_view::npos || start == 0)
    return {};
  const auto pid = process.rfind('-', start - 1);
  const auto all_of = [](std::string_view text, std::string_view digits) {
    return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
  };
  if (pid == std::string_view::npos || !all_of(process.substr(start + 1), "0123456789abcdef") ||
      !all_of(process.substr(pid + 1, start - pid - 1), "0123456789"))
    return {};
  return process;
}

} // namespace muster::runtime
