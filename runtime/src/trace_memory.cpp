/// Getting pages, growing, ending, forking. See trace_memory.hpp.
#include "trace_memory.hpp"

#include "immortal.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace muster::runtime {

using namespace trace_format;

namespace {

constexpr std::size_t segments_at_once = 256;

/// The system's answer to a wish for room on the disk; 0: it is there.
[[nodiscard]] int reserve(int fd, std::size_t from, std::size_t bytes) noexcept {
  int answer = 0;
  do
    answer = ::posix_fallocate(fd, static_cast<off_t>(from), static_cast<off_t>(bytes));
  while (answer == EINTR);
  return answer;
}

/// All that are mapped, so that a fork finds them. Its mutex is held over a fork.
struct fork_list {
  std::mutex mutex{};
  trace_memory* first = nullptr;
};
fork_list& all_mapped() {
  static immortal<fork_list> list;
  return list.value;
}

} // namespace

trace_memory::trace_memory(std::size_t segments, std::size_t strings, std::size_t living, file_facts facts,
                           const std::optional<trace_folder>& folder, const std::string& name)
    : facts_{facts} {
  const auto pages = [](std::size_t bytes) { return (bytes + page - 1) / page * page; };
  facts_.header_bytes = page;
  facts_.segment_bytes = sizeof(event_segment);
  facts_.record_bytes = sizeof(event);
  facts_.living_bytes = sizeof(living_entry);
  facts_.strings = {page, pages(strings)};
  facts_.living = {facts_.strings.offset + facts_.strings.bytes, pages(living * sizeof(living_entry))};
  facts_.segments.offset = facts_.living.offset + facts_.living.bytes;
  // A size near the largest there is would overflow here; mmap refuses anything near it anyway.
  if (segments > SIZE_MAX / 2 / sizeof(event_segment))
    return;
  facts_.segments.bytes = segments * sizeof(event_segment);
  bytes_ = facts_.segments.offset + facts_.segments.bytes;

  void* got = ::mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (got == MAP_FAILED)
    return;
  base_ = static_cast<std::byte*>(got);
  backed_ = segments;
  if (folder)
    map_file(*folder, name);
  auto& head = header();
  head.facts = facts_;
  head.facts_checksum = checksum_of(facts_);
  head.state.backed = backed_ * sizeof(event_segment);
}

trace_memory::~trace_memory() {
  if (base_ == nullptr)
    return;
  end(false);
  {
    auto& list = all_mapped();
    const std::lock_guard guard{list.mutex};
    for (auto** at = &list.first; *at != nullptr; at = &(*at)->next_)
      if (*at == this) {
        *at = next_;
        break;
      }
  }
  ::munmap(base_, bytes_);
}

void trace_memory::map_file(const trace_folder& folder, const std::string& name) {
  auto made = folder.create_locked(name);
  if (!made) {
    complain(std::move(made).error());
    return;
  }
  const auto file = folder.path() / name;
  const auto first = std::min(segments_at_once, segments().size());
  int failed = ::ftruncate(made->get(), static_cast<off_t>(bytes_)) == 0 ? 0 : errno;
  if (failed == 0)
    failed = reserve(made->get(), 0, facts_.segments.offset + first * sizeof(event_segment));
  if (failed == 0 &&
      ::mmap(base_, bytes_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, made->get(), 0) == MAP_FAILED)
    failed = errno;
  if (failed != 0) {
    ::unlink(file.c_str());
    complain(fmt::format("{}: {}", file.string(), std::generic_category().message(failed)));
    return;
  }
  fd_ = std::move(*made);
  file_ = file;
  backed_ = first;
  mapped_ = true;

  [[maybe_unused]] static const int once = ::pthread_atfork(prepare_fork, parent_forked, child_forked);
  auto& list = all_mapped();
  const std::lock_guard guard{list.mutex};
  next_ = list.first;
  list.first = this;
}

void trace_memory::back_more(std::size_t segment) noexcept {
  const std::lock_guard guard{mutex_};
  auto backed = backed_.load(std::memory_order_relaxed);
  while (segment >= backed) {
    const auto from = facts_.segments.offset + backed * sizeof(event_segment);
    const auto more = std::min(segments_at_once, segments().size() - backed);
    if (const auto failed = reserve(fd_.get(), from, more * sizeof(event_segment)); failed != 0) {
      // The rest of the ring goes on in memory that no other process sees. Nothing has been written there yet.
      static_cast<void>(::mmap(base_ + from, bytes_ - from, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
      mapped_ = false;
      try {
        complaint_ = fmt::format("{}: only {} of {} events are in the file: {}", file_.string(),
                                 backed * event_segment::capacity, segments().size() * event_segment::capacity,
                                 std::generic_category().message(failed));
      } catch (...) {
        // mapped() says enough.
      }
      backed_.store(segments().size(), std::memory_order_release);
      return;
    }
#ifdef MADV_POPULATE_WRITE
    // One call in place of a fault for each page, where the kernel can (Linux 5.14).
    static_cast<void>(::madvise(base_ + from, more * sizeof(event_segment), MADV_POPULATE_WRITE));
#endif
    backed += more;
    shared(header().state.backed).store(backed * sizeof(event_segment), std::memory_order_release);
    backed_.store(backed, std::memory_order_release);
  }
}

void trace_memory::complain(std::string what) {
  const std::lock_guard guard{mutex_};
  complaint_ = std::move(what);
}

std::string trace_memory::complaint() const {
  const std::lock_guard guard{mutex_};
  return complaint_;
}

void trace_memory::end(bool remove) noexcept {
  if (base_ == nullptr || ended_.exchange(true))
    return;
  shared(header().state.end).store(static_cast<word>(file_end::clean), std::memory_order_release);
  if (remove && fd_.ok()) // else it is the parent's, before a fork
    ::unlink(file_.c_str());
}

// -- fork -------------------------------------------------------------------------------------------------------------

void trace_memory::prepare_fork() noexcept { all_mapped().mutex.lock(); }
void trace_memory::parent_forked() noexcept { all_mapped().mutex.unlock(); }
void trace_memory::child_forked() noexcept {
  for (auto* one = all_mapped().first; one != nullptr; one = one->next_)
    one->forget_parent();
  all_mapped().mutex.unlock();
}

void trace_memory::forget_parent() noexcept {
  // The parent's events are the parent's: two processes that write into one ring would tear each other's records. And
  // while the child has the descriptor too, the parent seems alive.
  const auto head = header().facts;
  const auto sum = header().facts_checksum;
  static_cast<void>(::mmap(base_, bytes_, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0));
  header().facts = head;
  header().facts_checksum = sum;
  // The texts are known by their places.
  static_cast<void>(::mmap(base_ + head.strings.offset, head.strings.bytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_FIXED, fd_.get(), static_cast<off_t>(head.strings.offset)));
  fd_.close();
  mapped_ = false;
  backed_ = segments().size();
}

} // namespace muster::runtime
