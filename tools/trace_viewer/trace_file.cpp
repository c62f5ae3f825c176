/// Reading the parts of one file. See trace_file.hpp.
#include "trace_file.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

namespace muster::trace_viewer {

using namespace trace_format;

// -- problems ---------------------------------------------------------------------------------------------------------

void problem_list::add(std::uint64_t offset, std::string what) {
  if (to_.size() >= most_named) {
    ++more_;
    return;
  }
  to_.push_back({offset, file_.empty() ? std::move(what) : file_ + ": " + what});
}

void problem_list::finish() {
  if (more_ > 0)
    to_.push_back({0, fmt::format("and {} more of such", more_)});
}

// -- bytes ------------------------------------------------------------------------------------------------------------

namespace {

/// As mapped pages are, for the alignment of segments.
constexpr std::align_val_t as_pages{page};
[[nodiscard]] std::byte* room_for(std::size_t size) {
  return static_cast<std::byte*>(::operator new(std::max<std::size_t>(size, 1), as_pages));
}

} // namespace

std::expected<file_image, std::string> file_image::of(const std::filesystem::path& file) {
  const auto failed = [] { return std::unexpected{std::generic_category().message(errno)}; };
  const struct closing {
    int fd;
    ~closing() { ::close(fd); }
  } open{::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC)};
  if (open.fd < 0)
    return failed();
  struct stat is {};
  if (::fstat(open.fd, &is) != 0)
    return failed();
  if (!S_ISREG(is.st_mode))
    return std::unexpected{std::string{"it is no file"}};

  file_image out;
  out.size_ = static_cast<std::size_t>(is.st_size);
  if (out.size_ >= page && ::flock(open.fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    void* at = ::mmap(nullptr, out.size_, PROT_READ, MAP_SHARED, open.fd, 0);
    if (at == MAP_FAILED) {
      out.size_ = 0;
      return failed();
    }
    out.data_ = static_cast<const std::byte*>(at);
    out.live_ = true;
    return out;
  }
  auto* to = room_for(out.size_);
  out.data_ = to;
  for (std::size_t done = 0; done < out.size_;) {
    const auto n = ::pread(open.fd, to + done, out.size_ - done, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return failed();
    if (n == 0)
      out.size_ = done; // it has just been cut
    done += static_cast<std::size_t>(n);
  }
  return out;
}

file_image file_image::copy_of(std::span<const std::byte> bytes) {
  file_image out;
  auto* to = room_for(bytes.size());
  std::ranges::copy(bytes, to);
  out.data_ = to;
  out.size_ = bytes.size();
  return out;
}

file_image::file_image(file_image&& other) noexcept
    : data_{std::exchange(other.data_, nullptr)}, size_{other.size_}, live_{other.live_} {}

file_image::~file_image() {
  if (data_ == nullptr)
    return;
  if (live_)
    ::munmap(const_cast<std::byte*>(data_), size_);
  else
    ::operator delete(const_cast<std::byte*>(data_), as_pages);
}

// -- the header -------------------------------------------------------------------------------------------------------

std::expected<file_header, std::string> header_of(std::span<const std::byte> bytes) {
  file_header head;
  if (bytes.size() < sizeof head.facts.magic || std::memcmp(bytes.data(), magic.data(), magic.size()) != 0)
    return std::unexpected{std::string{"it is not a trace of Muster"}};
  if (bytes.size() < page)
    return std::unexpected{fmt::format("it is cut within its header, after {} bytes", bytes.size())};
  std::memcpy(&head, bytes.data(), sizeof head);
  const auto& facts = head.facts;
  if (facts.byte_order != byte_order)
    return std::unexpected{
        std::string{"its numbers are in the byte order of another kind of machine, or it is damaged"}};
  if (facts.major > major_version)
    return std::unexpected{fmt::format(
        "it is a trace of format {}.{}, and this program reads formats up to {}.x: a newer muster-trace is needed",
        facts.major, facts.minor, major_version)};
  if (head.facts_checksum != checksum_of(facts) || facts.major != major_version)
    return std::unexpected{std::string{"its header is damaged"}};
  if (facts.segment_bytes != sizeof(event_segment) || facts.record_bytes != sizeof(event) ||
      facts.living_bytes != sizeof(living_entry))
    return std::unexpected{std::string{"its records are of sizes that this program does not know"}};
  return head;
}

namespace {

/// The part of a region that is there. One that begins at an odd place is not there.
[[nodiscard]] std::span<const std::byte> part(std::span<const std::byte> bytes, region where, std::string_view what,
                                              problem_list& problems) {
  if (where.bytes == 0)
    return {};
  if (where.offset % 64 != 0 || where.offset >= bytes.size()) {
    problems.add(bytes.size(), fmt::format("the {} are missing: they would begin at byte {}, and the file has {}", what,
                                           where.offset, bytes.size()));
    return {};
  }
  const auto there = std::min<std::uint64_t>(where.bytes, bytes.size() - where.offset);
  if (there < where.bytes)
    problems.add(bytes.size(), fmt::format("the file is cut: {} of {} bytes of the {} are missing", where.bytes - there,
                                           where.bytes, what));
  return bytes.subspan(where.offset, there);
}

// -- texts ------------------------------------------------------------------------------------------------------------

struct found_text {
  std::uint32_t id;
  std::string_view text;
};

[[nodiscard]] std::optional<found_text> text_at(std::span<const std::byte> table, std::size_t at, std::uint32_t above,
                                                std::uint32_t most) {
  string_entry entry;
  if (table.size() - at < sizeof entry)
    return std::nullopt;
  std::memcpy(&entry, table.data() + at, sizeof entry);
  if (entry.id <= above || entry.id > most || entry.bytes > table.size() - at - sizeof entry)
    return std::nullopt;
  const std::string_view text{reinterpret_cast<const char*>(table.data()) + at + sizeof entry, entry.bytes};
  if (entry.check != string_check(entry.id, text))
    return std::nullopt;
  return found_text{entry.id, text};
}

void gather_texts(std::span<const std::byte> table, std::uint64_t offset, gathered& all) {
  auto& texts = all.into.texts;
  const auto most =
      static_cast<std::uint32_t>(std::min<std::size_t>(table.size() / sizeof(string_entry), UINT32_MAX - 1));
  std::uint32_t last = 0;
  for (std::size_t at = 0; at < table.size();) {
    // The usual entry is the next one; after damage any later one that is whole.
    auto found = text_at(table, at, last, most);
    if (!found) {
      const auto from = at;
      while (!found && (at += 8) < table.size())
        found = text_at(table, at, last, most);
      all.problems.add(offset + from, fmt::format("the string table is damaged: {} bytes are passed over",
                                                  std::min(at, table.size()) - from));
      if (!found)
        return;
    }
    if (texts.size() <= found->id)
      texts.resize(found->id + std::size_t{1});
    if (texts[found->id].empty())
      texts[found->id] = found->text;
    last = found->id;
    at += string_bytes(found->text.size());
  }
}

// -- events -----------------------------------------------------------------------------------------------------------

void gather_events(std::span<const std::byte> bytes, std::uint64_t offset, bool sealed, bool live, std::uint64_t limit,
                   gathered& all) {
  auto& data = all.into;
  const auto whole = bytes.size() / sizeof(event_segment);
  if (bytes.size() % sizeof(event_segment) != 0 && !(live && sealed))
    all.problems.add(offset + whole * sizeof(event_segment), "the last segment is not whole and is left out");
  const auto* const segments = reinterpret_cast<const event_segment*>(bytes.data());
  std::size_t count = 0;
  for (std::size_t i = 0; i < whole; ++i)
    count += std::min<std::uint64_t>(segments[i].held(), event_segment::capacity);
  data.events.reserve(data.events.size() + count);
  for (std::size_t i = 0; i < whole; ++i) {
    const auto& segment = segments[i];
    const auto at = offset + i * sizeof(event_segment);
    auto [used, laps] = segment.filled();
    if (used > event_segment::capacity || (sealed && !segment.intact())) {
      if (!(live && sealed)) // else it is just being written
        all.problems.add(at, "a segment is damaged and is left out");
      continue;
    }
    // What a ring's segment held before it was begun anew counts too, until it is overwritten.
    const auto end = laps != 0 && !sealed ? event_segment::capacity : used;
    for (std::size_t s = 0; s < end; ++s) {
      const auto& slot = segment.slots()[s];
      const auto e = slot.read(limit);
      const auto here = at + 64 + s * sizeof(event);
      if (e && static_cast<std::uint16_t>(e->kind) != 0 && to_string(e->kind) != "unknown")
        data.events.push_back(*e);
      else if (e)
        ++data.unknown_kinds;
      else if (const auto sequence = slot.sequence(); sequence == 0)
        ++data.torn;
      else if (!live)
        all.problems.add(here, fmt::format("an event has the number {}, and only {} were given", sequence, limit));
    }
  }
}

[[nodiscard]] std::string program_of(const file_facts& facts) {
  const auto end = std::ranges::find(facts.program, '\0');
  return {facts.program.begin(), end};
}

} // namespace

std::expected<void, std::string> gather(std::span<const std::byte> bytes, bool live, gathered& all) {
  const auto head = header_of(bytes);
  if (!head)
    return std::unexpected{head.error()};
  const auto& facts = head->facts;
  auto& data = all.into;
  const auto* const now = &reinterpret_cast<const file_header*>(bytes.data())->state;
  const auto look = [](const word& w) { return shared(w).load(std::memory_order_acquire); };

  // First, so that an effect with a number up to this one is not read without its cause.
  const auto given = look(now->sequence);
  const bool ring = facts.kind == file_kind::ring;
  const auto end = static_cast<file_end>(look(now->end));
  bool state_holds = true;
  if (!ring && end != file_end::open && now->seal != checksum_of(*now, offsetof(file_state, seal))) {
    all.problems.add(offsetof(file_header, state), "the numbers in the header are damaged");
    state_holds = false;
  }
  const bool open_piece = !ring && end == file_end::open;
  if (open_piece)
    state_holds = false;

  auto where = facts.segments;
  if (open_piece && where.bytes == 0 && where.offset == page && bytes.size() > page)
    where.bytes = bytes.size() - page;
  if (ring)
    where.bytes = std::min<std::uint64_t>(where.bytes, look(now->backed));
  gather_events(part(bytes, where, "events", all.problems), where.offset, !ring, live, ring ? given : UINT64_MAX, all);

  auto texts = part(bytes, facts.strings, "texts", all.problems);
  if (const auto used = look(now->strings_used); ring && used <= texts.size())
    texts = texts.first(used);
  else if (ring)
    all.problems.add(offsetof(file_header, state), "the header says that the string table is longer than it can be");
  gather_texts(texts, facts.strings.offset, all);

  const auto living = part(bytes, facts.living, "living", all.problems);
  all.living.clear();
  for (std::size_t i = 0; i < living.size() / sizeof(living_entry); ++i) {
    living_facts one;
    // One that is just changing is made or replaced at this moment.
    for (int tries = 0; tries < 100; ++tries) {
      const auto what = reinterpret_cast<const living_entry*>(living.data())[i].read(one);
      if (what == living_entry::answer::whole)
        all.living.push_back(one);
      if (what == living_entry::answer::damaged)
        all.problems.add(facts.living.offset + i * sizeof(living_entry),
                         "an entry of the living is damaged and is left out");
      if (what != living_entry::answer::torn)
        break;
    }
  }

  data.major = facts.major;
  data.minor = facts.minor;
  data.pid = facts.pid;
  data.program = program_of(facts);
  data.clock_anchor_ns = facts.clock_anchor_ns;
  data.wall_anchor_ns = facts.wall_anchor_ns;
  data.workers = facts.workers;
  data.live = data.live || (live && ring);
  data.ended_cleanly = end == file_end::clean && (ring || state_holds);
  data.copied = data.copied || facts.kind == file_kind::copy;
  if (ring || state_holds) {
    all.last_sequence = std::max(all.last_sequence, given);
    data.strings_dropped = std::max(data.strings_dropped, look(now->strings_dropped));
    data.living_dropped = look(now->living_dropped);
    data.ended_by_signal = static_cast<int>(look(now->signal) & 0xFFU);
  }
  return {};
}

} // namespace muster::trace_viewer
