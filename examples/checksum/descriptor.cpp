/// File descriptors: see descriptor.hpp.
#include "descriptor.hpp"

#include <cerrno>
#include <climits>

#include <fcntl.h>
#include <unistd.h>

namespace checksum {

namespace {

constexpr int always = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;

/// Goes down folder by folder, in pieces that the system takes.
int open_in_pieces(const std::string& path, int flags) {
  descriptor above;
  std::size_t from = 0;
  while (path.size() - from >= PATH_MAX) {
    const auto slash = path.rfind('/', from + PATH_MAX - 1);
    if (slash == std::string::npos || slash <= from) {
      errno = ENAMETOOLONG;
      return -1;
    }
    // With its slash at the end, so that a link on the way is followed as in a whole path.
    const std::string piece = path.substr(from, slash + 1 - from);
    const int at = above.number() < 0 ? AT_FDCWD : above.number();
    above = descriptor{openat(at, piece.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
    if (above.number() < 0)
      return -1;
    from = path.find_first_not_of('/', slash);
    if (from == std::string::npos)
      return openat(above.number(), ".", always | flags);
  }
  return openat(above.number(), path.c_str() + from, always | flags);
}

} // namespace

descriptor::~descriptor() {
  if (number_ >= 0)
    close(number_);
}

std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

std::expected<descriptor, std::error_code> open_path(const std::string& path, int flags) {
  int number = open(path.c_str(), always | flags);
  if (number < 0 && errno == EWOULDBLOCK) // another program's lease on the file: it is given up when somebody waits
    number = open(path.c_str(), (always & ~O_NONBLOCK) | flags);
  if (number < 0 && errno == ENAMETOOLONG && path.size() >= PATH_MAX)
    number = open_in_pieces(path, flags);
  if (number < 0)
    return std::unexpected{last_error()};
  return descriptor{number};
}

void occupy_standard_descriptors() noexcept {
  for (int number = 0; number <= 2; ++number)
    if (fcntl(number, F_GETFD) < 0 && errno == EBADF)
      static_cast<void>(open("/dev/null", number == 0 ? O_WRONLY : O_RDONLY)); // gets the lowest free number: this one
}

} // namespace checksum
