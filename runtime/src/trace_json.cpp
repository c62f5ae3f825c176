/// recorder::write: a trace as JSON lines, in a file that is there whole or not at all.
#include "trace_json.hpp"

#include "json_text.hpp"

#include <muster/trace.hpp>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>
#include <utility>

namespace muster {
namespace {

[[nodiscard]] std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

/// A file without its final name yet; unless `publish` succeeds it goes away again.
class new_file {
public:
  explicit new_file(const std::filesystem::path& final_name)
      : final_{final_name},
        temporary_{(final_name.parent_path() / ".muster-XXXXXX").string()} {
    fd_ = ::mkostemp(temporary_.data(), O_CLOEXEC);
    // mkostemp asks for 0600, but the umask may have taken some of it.
    if (fd_ < 0 || ::fchmod(fd_, S_IRUSR | S_IWUSR) != 0)
      error_ = last_error();
  }
  new_file(const new_file&) = delete;
  new_file& operator=(const new_file&) = delete;
  ~new_file() {
    if (fd_ >= 0)
      ::close(fd_);
    if (!temporary_.empty())
      ::unlink(temporary_.c_str());
  }

  /// Writes the buffer out and empties it; does nothing after the first failure.
  void write(fmt::memory_buffer& buffer) noexcept {
    for (std::size_t done = 0; !error_ && done < buffer.size();) {
      const auto n = ::write(fd_, buffer.data() + done, buffer.size() - done);
      if (n >= 0)
        done += static_cast<std::size_t>(n);
      else if (errno != EINTR)
        error_ = last_error();
    }
    buffer.clear();
  }

  /// Gives the file its name; the first failure of all so far.
  [[nodiscard]] std::error_code publish() noexcept {
    // Some file systems tell of a full disk only at close.
    if (fd_ >= 0 && ::close(std::exchange(fd_, -1)) != 0 && !error_)
      error_ = last_error();
    if (!error_ && ::rename(temporary_.c_str(), final_.c_str()) != 0)
      error_ = last_error();
    if (!error_)
      temporary_.clear();
    return error_;
  }

private:
  std::filesystem::path final_;
  std::string temporary_;
  int fd_ = -1;
  std::error_code error_;
};

} // namespace

void runtime::append_event_line(fmt::memory_buffer& to, const recorder& of, const event& e) {
  const auto put = fmt::appender(to);
  fmt::format_to(put, R"({{"sequence":{},"time":{},"kind":"{}","subject":{},"cause":{},"value":{},"thread":{})",
                 e.sequence, e.time_ns, to_string(e.kind), e.subject, e.cause, e.value, e.thread);
  if (e.text != 0) {
    fmt::format_to(put, R"(,"text":)");
    append_json(to, of.text(e.text));
  }
  fmt::format_to(put, "}}\n");
}

std::error_code recorder::write(const std::filesystem::path& file) const try {
  if (!file.has_filename())
    return std::make_error_code(std::errc::invalid_argument);
  // Counted first: an event overwritten in between is then missing without being counted, never counted and present.
  const auto events_lost = dropped();
  const auto strings_lost = strings_dropped();
  const auto events = snapshot();

  new_file out{file};
  fmt::memory_buffer line;
  const auto put = fmt::appender(line);
  fmt::format_to(put,
                 R"({{"muster_trace":1,"clock":"engine","unit":"ns","process":{},"events":{},"events_dropped":{},)"
                 R"("strings_dropped":{}}})"
                 "\n",
                 ::getpid(), events.size(), events_lost, strings_lost);
  for (const auto& e : events) {
    runtime::append_event_line(line, *this, e);
    if (line.size() >= 60'000)
      out.write(line);
  }
  out.write(line);
  return out.publish();
} catch (const std::bad_alloc&) {
  return std::make_error_code(std::errc::not_enough_memory);
}

} // namespace muster
