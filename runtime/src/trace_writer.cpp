/// Writing segments one behind the other, and the header last. See trace_writer.hpp.
#include "trace_writer.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace muster::runtime {

using namespace trace_format;

namespace {

[[nodiscard]] std::error_code last_error() noexcept { return {errno, std::generic_category()}; }

} // namespace

trace_writer::trace_writer(file_descriptor fd, const file_facts& facts) : fd_{std::move(fd)} {
  header_.facts = facts;
  header_.facts.header_bytes = page;
  header_.facts.segment_bytes = sizeof(event_segment);
  header_.facts.record_bytes = sizeof(event);
  header_.facts.living_bytes = sizeof(living_entry);
  header_.facts.strings = header_.facts.living = {};
  header_.facts.segments = {page, 0};
  header_.facts_checksum = checksum_of(header_.facts);
  put_at(0, std::as_bytes(std::span{&header_, 1}));
}

void trace_writer::put_at(std::uint64_t at, std::span<const std::byte> bytes) noexcept {
  while (!error_ && !bytes.empty()) {
    const auto n = ::pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n >= 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      at += static_cast<std::uint64_t>(n);
    } else if (errno != EINTR) {
      error_ = last_error();
    }
  }
}

void trace_writer::put(std::span<const std::byte> bytes) noexcept {
  put_at(at_, bytes);
  if (error_) // what is there stays readable; half a segment would be taken for damage
    static_cast<void>(!::ftruncate(fd_.get(), static_cast<off_t>(at_)));
  else
    at_ += bytes.size();
}

void trace_writer::add(const event& e) noexcept {
  segment_.take_slot().finish(e);
  header_.state.sequence = e.sequence > header_.state.sequence ? e.sequence : header_.state.sequence;
  if (segment_.full())
    flush();
}

void trace_writer::flush() noexcept {
  if (segment_.filled().used == 0)
    return;
  segment_.seal();
  put(std::as_bytes(std::span{&segment_, 1}));
  segment_ = {};
}

std::error_code trace_writer::finish(const trace_rest& rest) noexcept {
  flush();
  auto& facts = header_.facts;
  facts.segments.bytes = at_ - page;
  // First where the events end: whoever reads it while the rest is written, or was never, knows what is behind them.
  header_.facts_checksum = checksum_of(facts);
  put_at(0, std::as_bytes(std::span{&header_, 1}));
  // Regions begin where a cache line would.
  const auto region_of = [&](std::span<const std::byte> bytes) {
    at_ = (at_ + 63) / 64 * 64;
    const region where{at_, bytes.size()};
    put(bytes);
    return where;
  };
  facts.strings = region_of(rest.strings);
  facts.living = region_of(std::as_bytes(rest.living));
  header_.facts_checksum = checksum_of(facts);
  header_.state = rest.state;
  header_.state.strings_used = rest.strings.size();
  header_.state.seal = checksum_of(header_.state, offsetof(file_state, seal));
  put_at(0, std::as_bytes(std::span{&header_, 1}));
  // Some file systems tell of a full disk only at close.
  if (fd_.ok() && !fd_.close() && !error_)
    error_ = last_error();
  return error_;
}

new_file::new_file(const std::filesystem::path& final_name)
    : final_{final_name}, temporary_{(final_name.parent_path() / ".muster-XXXXXX").string()} {
  fd_ = file_descriptor{::mkostemp(temporary_.data(), O_CLOEXEC)};
  // mkostemp asks for 0600, but the umask may have taken some of it.
  if (!fd_.ok() || ::fchmod(fd_.get(), S_IRUSR | S_IWUSR) != 0)
    error_ = last_error();
  if (!fd_.ok())
    temporary_.clear();
}

new_file::~new_file() {
  if (!temporary_.empty())
    ::unlink(temporary_.c_str());
}

std::error_code new_file::publish() noexcept {
  if (!error_ && ::rename(temporary_.c_str(), final_.c_str()) != 0)
    error_ = last_error();
  if (!error_)
    temporary_.clear();
  return error_;
}

} // namespace muster::runtime
