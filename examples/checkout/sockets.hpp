/// Loopback sockets: to listen, to keep a port, to connect, and to see whether the other side has left.
///
/// Owner: whoever holds the file_descriptor. Threads: any. Always holds: everything is on 127.0.0.1, and nothing here
/// is inherited by another process.
#pragma once

#include <muster/error.hpp>

#include <utility>

namespace shop {

/// Closes what it holds. Moves.
class file_descriptor {
public:
  file_descriptor() = default;
  explicit file_descriptor(int fd) noexcept : fd_(fd) {}
  file_descriptor(file_descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  file_descriptor& operator=(file_descriptor&& other) noexcept;
  ~file_descriptor() { reset(); }
  void reset() noexcept;
  [[nodiscard]] int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// `doing`, with what errno says.
[[nodiscard]] muster::error system_failure(std::string doing);

/// Listens on `port`; 0: the kernel chooses one.
[[nodiscard]] muster::result<file_descriptor> listen_on(int port);
/// Takes a port of the kernel's choice and does not listen on it, so that connecting to it is refused, and nobody else
/// gets it, until another socket with SO_REUSEPORT (of a service, or of its successor) listens there.
[[nodiscard]] muster::result<file_descriptor> reserve_port();
[[nodiscard]] int port_of(const file_descriptor& socket) noexcept;

[[nodiscard]] muster::result<file_descriptor> connect_to(int port);

/// True once the other side has closed the connection or its sending half. Does not block and reads nothing, so what
/// is still to be read stays.
[[nodiscard]] bool other_side_has_left(int socket) noexcept;

} // namespace shop
