/// Knows whether this process is a child that was forked while its parent had an engine.
///
/// Such a child has copies of managers but none of their threads, and locks may be held for ever by threads that are
/// not there. It may exec or _exit, nothing else.
///
/// Owner: nobody; one count for the process. Threads: any.
#pragma once

namespace muster::runtime {

/// One more engine lives from now on. Aborts with a sentence in a child as above: not even a new one can work there.
void engine_begins();
/// And one less.
void engine_ended() noexcept;
/// Whether this is such a child.
[[nodiscard]] bool is_forked_child() noexcept;

} // namespace muster::runtime
