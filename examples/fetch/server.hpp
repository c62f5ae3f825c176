/// A small HTTP server on the loopback whose pages are what a download may meet: long ones, slow ones, broken ones.
///
///     /bytes/N     N bytes                          /status/N     nothing but the status N
///     /open/N      N bytes, and no Content-Length   /cut/N        N bytes, and the end after half of them
///     /slow/MS     after so many milliseconds       /garbage      no HTTP
///     /silent      never anything                   /most         how many requests there have been at one time
///     /together/N  answers when N of these requests are there, all of them at once
///
/// Owner: the scope that it was started in. Threads: a coroutine of its own for each connection, on the workers of that
/// scope's manager. Always holds: it listens on 127.0.0.1 alone.
#pragma once

#include <muster/asio.hpp>
#include <muster/muster.hpp>

#include <cstdint>

namespace fetch {

/// Starts it as daemons of `crew`, on `port` (0: one of the kernel's choice), with what `io` runs. Gives the port.
[[nodiscard]] muster::result<std::uint16_t> serve(muster::scope& crew, muster::resource<muster::io_service> io,
                                                  std::uint16_t port);

} // namespace fetch
