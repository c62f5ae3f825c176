/// The standard output: see output.hpp.
#include "output.hpp"

#include "descriptor.hpp"

#include <cerrno>

#include <unistd.h>

namespace checksum {

std::error_code output::flush() {
  if (lines_.empty())
    return {};
  before_write_();
  for (std::size_t done = 0; done < lines_.size();) {
    const ssize_t written = write(STDOUT_FILENO, lines_.data() + done, lines_.size() - done);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      const auto problem = last_error();
      lines_.clear();
      return problem;
    }
    done += static_cast<std::size_t>(written);
  }
  lines_.clear();
  return {};
}

} // namespace checksum
