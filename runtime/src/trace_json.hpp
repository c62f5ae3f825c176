/// How one event of a trace is written as a line of JSON, for the trace text of a simulation.
///
/// Owner: nobody; stateless. Threads: any, also while others record.
#pragma once

#include <muster/trace.hpp>

#include <fmt/format.h>

namespace muster::runtime {

/// Appends `e`, kind and text by name, with a line feed. The text comes from `of`, which recorded it.
void append_event_line(fmt::memory_buffer& to, const recorder& of, const event& e);

} // namespace muster::runtime
