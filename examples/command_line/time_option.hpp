/// An option whose value is a time: "500ms", "30s", "2m", "1.5h"; a bare number means seconds.
#pragma once

#include <muster/clock.hpp>

#include <CLI/CLI.hpp>

namespace command_line {

/// Adds it to `app`; what is given goes into `into`, which stays as it is if nothing is. Refused, as CLI11 refuses
/// things: what is no time, or is not above 0.
void add_time(CLI::App& app, const char* name, muster::duration& into, const char* what);

} // namespace command_line
