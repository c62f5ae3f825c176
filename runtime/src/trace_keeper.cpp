/// Following the ring. See trace_keeper.hpp.
#include "trace_keeper.hpp"

#include "thread_name.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace muster::runtime {

using namespace trace_format;

std::vector<living_entry> trace_parts::living_now() const {
  std::vector<living_entry> out;
  for (const auto& entry : living.entries()) {
    living_facts facts;
    // One that is just changing is made or replaced at this moment; it is looked at a few times.
    for (int tries = 0; tries < 100; ++tries) {
      const auto what = entry.read(facts);
      if (what == living_entry::answer::whole)
        out.emplace_back().fill(facts);
      if (what != living_entry::answer::torn)
        break;
    }
  }
  return out;
}

file_state trace_parts::state_now() const noexcept {
  const auto& live = memory.header().state;
  const auto now = [](const word& w) { return shared(w).load(std::memory_order_acquire); };
  return {.sequence = now(live.sequence),
          .signal = now(live.signal),
          .strings_dropped = now(live.strings_dropped),
          .living_dropped = now(live.living_dropped)};
}

trace_keeper::trace_keeper(const trace_parts& of, std::filesystem::path folder, std::uint64_t file_bytes,
                           std::size_t files)
    : parts_{of},
      folder_{std::move(folder)},
      file_bytes_{std::max<std::uint64_t>(file_bytes, 4 * page)},
      files_{std::max<std::size_t>(files, 2)},
      often_{std::max<std::uint64_t>(of.ring.segments() / 8, 1)},
      owner_{::getpid()},
      marks_(of.ring.segments()),
      thread_{[this] { run(); }} {}

trace_keeper::~trace_keeper() { finish(); }

void trace_keeper::finish() noexcept {
  if (!thread_.joinable())
    return;
  if (::getpid() != owner_) {
    thread_.detach(); // it is the parent's
    return;
  }
  over_ = true;
  wake();
  thread_.join();
}

std::string trace_keeper::complaint() const {
  const std::lock_guard guard{complaint_mutex_};
  return complaint_;
}

void trace_keeper::run() noexcept {
  name_this_thread("muster/trace", static_cast<unsigned>(parts_.memory.facts().recorder));
  for (std::uint32_t seen = 0; !over_.load(std::memory_order_acquire);) {
    turns_.wait(seen, std::memory_order_acquire);
    seen = turns_.load(std::memory_order_acquire);
    try {
      sweep();
    } catch (...) {
      give_up(std::make_error_code(std::errc::not_enough_memory));
    }
  }
  try {
    sweep();
    close_piece(file_end::clean);
  } catch (...) {
    give_up(std::make_error_code(std::errc::not_enough_memory));
  }
}

void trace_keeper::sweep() {
  // The oldest first, so that files follow each other in time as well as may be.
  waiting_.clear();
  std::size_t i = 0;
  parts_.ring.for_each([&](const event_segment& segment) {
    auto& at = marks_[i++];
    const auto [used, laps] = segment.filled();
    if (laps != at.laps)
      at = {laps, 0}; // what was left of the earlier round is lost
    if (at.next < used)
      waiting_.push_back({segment.slots()[at.next].sequence(), &segment, &at});
  });
  std::ranges::sort(waiting_, {}, &unread::first);
  for (const auto& next : waiting_)
    read(*next.segment, *next.at);
  if (piece_)
    piece_->flush();
}

void trace_keeper::read(const event_segment& segment, mark& at) {
  const auto [used, laps] = segment.filled();
  if (laps != at.laps)
    return; // next time
  for (; keeps_ && at.next < used; ++at.next) {
    const auto e = segment.slots()[at.next].read(UINT64_MAX);
    // One that is being written is taken next time; one of a later round is not for now.
    if (!e || segment.filled().laps != laps)
      return;
    if (piece_ && piece_->bytes() >= file_bytes_)
      close_piece(file_end::complete);
    if (!piece_)
      open_piece();
    if (!keeps_)
      return;
    piece_->add(*e);
    if (piece_->error())
      give_up(piece_->error());
  }
}

void trace_keeper::open_piece() {
  ++number_;
  const auto name = [&](std::uint32_t n) { return folder_ / fmt::format("{:06}{}", n, extension); };
  file_descriptor fd{
      ::open(name(number_).c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR)};
  if (!fd.ok()) {
    give_up({errno, std::generic_category()});
    return;
  }
  auto facts = parts_.memory.facts();
  facts.kind = file_kind::piece;
  facts.piece = number_;
  piece_ = std::make_unique<trace_writer>(std::move(fd), facts);
  if (number_ > files_)
    ::unlink(name(number_ - static_cast<std::uint32_t>(files_)).c_str());
}

void trace_keeper::close_piece(file_end how) {
  if (!piece_)
    return;
  const auto living = parts_.living_now();
  auto state = parts_.state_now();
  state.end = static_cast<word>(how);
  const auto failed = piece_->finish({.strings = parts_.strings.bytes(), .living = living, .state = state});
  piece_.reset();
  if (failed)
    give_up(failed);
}

void trace_keeper::give_up(const std::error_code& why) {
  keeps_ = false;
  piece_.reset();
  const std::lock_guard guard{complaint_mutex_};
  if (complaint_.empty())
    complaint_ = fmt::format("{}: no events are kept any more: {}", folder_.string(), why.message());
}

} // namespace muster::runtime
