/// Traces for the tests of the page: of a real program, run in the simulation, and hand-made ones for what no program
/// does.
///
/// Owner: nobody; each call makes its trace anew. Threads: one. Invariant: two calls give the same trace.
#pragma once

#include "reader.hpp"

#include <cstddef>
#include <optional>
#include <string_view>

namespace page_scenes {

using muster::trace_viewer::trace_data;

/// An evening in a shop: orders that end well, one whose card is declined, one that hangs, one whose service is down; a
/// pool of two connections that many wait for; actors that are restarted, and a supervisor that gives up. Some are
/// still at work at the end.
[[nodiscard]] trace_data shop();
/// Two tasks that wait for each other, and a third that waits for one of them.
[[nodiscard]] trace_data circle();
/// Names and errors that try to get out of the page: tags, quotes, control characters, bad UTF-8, turned directions.
[[nodiscard]] trace_data hostile();
/// So many tasks in few scopes, four events each; every thousandth fails.
[[nodiscard]] trace_data crowd(std::size_t tasks);
/// What is left when everything but a snapshot and the last few events was overwritten.
[[nodiscard]] trace_data middle();
/// A file with nothing in it.
[[nodiscard]] trace_data empty();

/// By name: "shop", "circle", "hostile", "crowd", "million", "middle", "empty".
[[nodiscard]] std::optional<trace_data> by_name(std::string_view name);

} // namespace page_scenes
