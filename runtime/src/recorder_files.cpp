/// The recorder's files: where its ring lies, what is written out of it, and what goes at the end.
#include "recorder_impl.hpp"

#include <fmt/format.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <new>
#include <optional>
#include <utility>

namespace muster {

namespace {

trace_format::file_facts facts_of(const trace_origin& origin) {
  trace_format::file_facts facts{.pid = ::getpid(),
                                 .clock_anchor_ns = origin.clock_ns,
                                 .wall_anchor_ns = origin.wall_ns,
                                 .workers = origin.workers};
  const auto program = runtime::program_name();
  std::copy_n(program.begin(), std::min(program.size(), facts.program.size() - 1), facts.program.begin());
  return facts;
}

/// A recorder's place in a folder: the name of its ring, in the folder or in one of its own.
struct home {
  std::optional<runtime::trace_folder> of_ring;
  std::filesystem::path folder; ///< for what is written out
  std::string ring;
  std::string name;
  std::string complaint;
};

home find_home(const trace_options& options, std::uint64_t number) {
  home at;
  auto folder = options.folder.empty() ? runtime::trace_folder::open_any(runtime::usual_trace_folders())
                                       : runtime::trace_folder::open(options.folder);
  if (!folder) {
    at.complaint = std::move(folder).error();
    return at;
  }
  static std::atomic<unsigned> visits{0};
  if (visits.fetch_add(1, std::memory_order_relaxed) % 64 == 0)
    folder->remove_dead(4);
  at.folder = folder->path();
  at.name = fmt::format("{}.{}", runtime::name_of_this_process(), number);
  at.ring = at.name + std::string{trace_format::extension};
  if (options.mode == trace_mode::file) {
    folder = runtime::trace_folder::open(at.folder / (at.name + ".d"));
    if (!folder) {
      at.complaint = std::move(folder).error();
      return at;
    }
    at.ring = "ring" + std::string{trace_format::extension};
  }
  at.of_ring = std::move(*folder);
  return at;
}

std::error_code write_copy(const runtime::trace_parts& parts, const std::vector<event>& events,
                           runtime::file_descriptor fd) {
  auto state = parts.state_now();
  // Drawn before the events were read, so that none is thought lost that came later.
  state.sequence = events.empty() ? state.sequence : std::max(events.back().sequence, std::uint64_t{1});
  state.end = static_cast<trace_format::word>(trace_format::file_end::complete);
  auto facts = parts.memory.facts();
  facts.kind = trace_format::file_kind::copy;
  facts.pid = ::getpid();
  runtime::trace_writer out{std::move(fd), facts};
  for (const auto& e : events)
    out.add(e);
  const auto living = parts.living_now();
  return out.finish({.strings = parts.strings.bytes(), .living = living, .state = state});
}

} // namespace

recorder::recorder(trace_options options, const trace_origin& origin)
    : impl_{[&]() -> std::shared_ptr<impl> {
        if (options.mode == trace_mode::off)
          return nullptr;
        static std::atomic<std::uint64_t> made{0};
        auto facts = facts_of(origin);
        facts.recorder = made.fetch_add(1, std::memory_order_relaxed) + 1;
        const auto at = origin.in_memory ? home{} : find_home(options, facts.recorder);
        auto memory =
            std::make_unique<runtime::trace_memory>(runtime::event_ring::segments_for(options.bytes), max_strings,
                                                    runtime::living_table::places, facts, at.of_ring, at.ring);
        if (!memory->ok())
          return nullptr;
        const bool mapped = memory->mapped();
        auto made_impl = std::make_shared<impl>(std::move(memory), at.folder, at.name);
        auto& own = *made_impl;
        own.no_folder = at.complaint;
        own.parked.reserve(std::min<std::size_t>(own.ring.segments(), 4096));
        if (mapped && options.on_fatal_signal)
          own.mark = std::make_unique<runtime::fatal_signal_mark>(own.memory->header().state.signal);
        if (mapped && options.mode == trace_mode::file)
          own.keeper = std::make_unique<runtime::trace_keeper>(own.parts(), at.of_ring->path(), options.file_bytes,
                                                               options.files);
        return made_impl;
      }()},
      enabled_{impl_ != nullptr} {}

recorder::~recorder() { close(); }

trace_mode recorder::mode() const noexcept {
  return !enabled_ ? trace_mode::off : impl_->keeper ? trace_mode::file : trace_mode::ring;
}

bool recorder::mapped() const noexcept { return enabled_ && impl_->memory->mapped() && !impl_->closed; }

std::string recorder::complaint() const {
  if (!enabled_)
    return {};
  if (!impl_->no_folder.empty())
    return impl_->no_folder;
  auto said = impl_->memory->complaint();
  return said.empty() && impl_->keeper ? impl_->keeper->complaint() : said;
}

std::filesystem::path recorder::file() const {
  if (!enabled_ || impl_->memory->file().empty())
    return {};
  const auto& ring = impl_->memory->file();
  return impl_->keeper ? ring.parent_path() : impl_->closed ? std::filesystem::path{} : ring;
}

void recorder::close() noexcept {
  if (!enabled_ || impl_->closed.exchange(true))
    return;
  if (impl_->keeper)
    impl_->keeper->finish();
  impl_->mark.reset();
  impl_->memory->end(true);
}

std::error_code recorder::write(const std::filesystem::path& file) const try {
  if (!file.has_filename())
    return std::make_error_code(std::errc::invalid_argument);
  runtime::new_file out{file};
  if (out.error())
    return out.error();
  std::error_code failed;
  if (enabled_) {
    failed = write_copy(impl_->parts(), impl_->events(), out.take());
  } else {
    auto facts = facts_of({});
    facts.kind = trace_format::file_kind::copy;
    failed = runtime::trace_writer{out.take(), facts}.finish(
        {.strings = {},
         .living = {},
         .state = {.end = static_cast<trace_format::word>(trace_format::file_end::complete)}});
  }
  return failed ? failed : out.publish();
} catch (const std::bad_alloc&) {
  return std::make_error_code(std::errc::not_enough_memory);
}

std::expected<std::filesystem::path, std::error_code> recorder::keep(std::string_view why) const try {
  if (!enabled_ || impl_->folder.empty())
    return std::unexpected{std::make_error_code(std::errc::no_such_file_or_directory)};
  static std::mutex mutex;
  static std::deque<std::filesystem::path> kept;
  static std::uint64_t number = 0;
  static pid_t whose = ::getpid();
  const std::lock_guard guard{mutex};
  if (std::exchange(whose, ::getpid()) != ::getpid())
    kept.clear(); // the parent's, before a fork
  const auto file =
    impl_->folder / fmt::format("{}+{}-{}{}", impl_->name, why, ++number, trace_format::extension);
  if (const auto failed = write(file))
    return std::unexpected{failed};
  kept.push_back(file);
  if (kept.size() > most_kept) {
    ::unlink(kept.front().c_str());
    kept.pop_front();
  }
  return file;
} catch (const std::bad_alloc&) {
  return std::unexpected{std::make_error_code(std::errc::not_enough_memory)};
}

} // namespace muster
