/// What can be said about the trace of a manager when it is made: how it is kept, how much of it, and where.
///
/// Apart from the recorder (muster/trace.hpp), so that who only makes managers does not pay for its headers.
#pragma once

#include <muster/api.hpp>

#include <cstddef>
#include <cstdint>
#include <string>

MUSTER_API_BEGIN

namespace muster {

/// What is kept of the events.
enum class trace_mode : std::uint8_t {
  off,  ///< nothing is recorded
  ring, ///< the newest events are kept, in a mapped file that goes away with a clean exit
  file, ///< as ring, and a thread puts them into files one after the other, which stay
};

/// How a manager records. Every member has a default; the order below is that of designated initialisers.
struct trace_options {
  trace_mode mode = trace_mode::ring; ///< what is kept
  /// Memory for events, all threads together. Rounded up to whole segments (4 KiB, 84 events); each live thread that
  /// records holds one, so there are places for 2048 threads in the default. Pages are used as they are first needed.
  std::size_t bytes = std::size_t{8} << 20U;
  /// Where the trace's files lie. Empty: $MUSTER_TRACE_DIR if it is set; else $XDG_RUNTIME_DIR/muster; else muster-$UID
  /// in the temporary directory. Made with mode 0700 if it is not there. What ended processes left there is removed
  /// when a recorder begins, but for the newest four of them.
  std::string folder{};
  std::size_t file_bytes = std::size_t{64} << 20U; ///< of mode `file`: a file that is as large is followed by another …
  std::size_t files = 8;                           ///< … and the oldest goes when there are more than these; at least 2
  /// When the process dies of SIGSEGV, SIGBUS, SIGFPE, SIGILL or SIGABRT, its trace says so. Handlers that were there
  /// before are called after ours.
  bool on_fatal_signal = false;
};

} // namespace muster

MUSTER_API_END
