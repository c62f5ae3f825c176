/// One download: connect, ask, read. A coroutine that holds no thread while the network does its part.
///
/// Owner: the task that awaits it. Threads: workers of Muster; the operations run on those of the io_context.
/// Invariant: on every way out the connection is closed.
#pragma once

#include "url.hpp"

#include <muster/muster.hpp>

#include <asio/io_context.hpp>

namespace fetch {

/// The longest body that is taken.
inline constexpr std::size_t longest_body = 256 * 1024 * 1024;

/// Awaiting it gives the body that `from` answers with. It fails with
///  - what the system says, if the host is not known, or cannot be reached, or the connection breaks;
///  - std::errc::protocol_error, if the answer is not a success (404 and the like; redirections are not followed);
///  - std::errc::connection_aborted, if the body is cut off; std::errc::bad_message, if the answer is no sound HTTP;
///  - std::errc::file_too_large; and the reason of the task, if that is asked to stop.
/// The message says what was being done.
[[nodiscard]] muster::coro<muster::result<std::string>> download(muster::async_context& ctx, asio::io_context& io,
                                                                 url from);

} // namespace fetch
