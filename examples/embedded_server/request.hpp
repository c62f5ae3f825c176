/// One request: a line that a client sends, and a line that it gets back.
///
///     echo TEXT    TEXT
///     sum A B …    the numbers are added, each read by a task of its own
///     hold         the server waits for the client's next line, which it gives back
///
/// Owner: the task of the request has the socket. Threads: workers of Muster's; the socket's operations are on the
/// application's event loop.
#pragma once

#include <muster/asio.hpp>
#include <muster/muster.hpp>

#include <asio/ip/tcp.hpp>

#include <functional>
#include <string>

namespace embedded {

/// Where the server says what happens; may be called from several threads at once.
using say = std::function<void(const std::string&)>;

/// Reads the request, answers it and closes. A client whose request is called off is told why.
muster::coro<void> serve(muster::async_context& ctx, asio::ip::tcp::socket& client, const say& tell);

} // namespace embedded
