/// Marks the traces of a process that dies of a fatal signal, for those who asked for it. The events need no saving:
/// they are in a mapped file already, which stays when the process goes.
///
/// Owner: a recorder, for its life. Threads: constructor and destructor any; the handler runs on the thread that fails,
/// and does nothing but store and hand on. Invariant: handlers that were installed before ours are called after it.
#pragma once

#include <muster/trace_records.hpp>

namespace muster::runtime {

class fatal_signal_mark {
public:
  /// From now on a fatal signal writes its number into `word`, which outlives this. The 65th at a time has no effect.
  explicit fatal_signal_mark(trace_format::word& word);
  ~fatal_signal_mark();
  fatal_signal_mark(const fatal_signal_mark&) = delete;
  fatal_signal_mark& operator=(const fatal_signal_mark&) = delete;

private:
  std::size_t place_;
};

} // namespace muster::runtime
