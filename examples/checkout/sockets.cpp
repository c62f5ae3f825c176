/// Loopback sockets; see sockets.hpp. Stateless; any thread.
#include "sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace shop {

namespace {

constexpr int waiting_connections = 128;

sockaddr_in loopback(int port) noexcept {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

muster::result<file_descriptor> bound_socket(int port, int option) {
  file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const int yes = 1;
  const auto address = loopback(port);
  if (!socket || ::setsockopt(socket.get(), SOL_SOCKET, option, &yes, sizeof yes) != 0 ||
      ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected{system_failure("taking port " + std::to_string(port))};
  return socket;
}

} // namespace

file_descriptor& file_descriptor::operator=(file_descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void file_descriptor::reset() noexcept {
  if (fd_ >= 0)
    ::close(std::exchange(fd_, -1));
}

muster::error system_failure(std::string doing) {
  return {std::error_code{errno, std::generic_category()}, std::move(doing)};
}

muster::result<file_descriptor> listen_on(int port) {
  auto socket = bound_socket(port, SO_REUSEADDR);
  if (socket && ::listen(socket->get(), waiting_connections) != 0)
    return std::unexpected{system_failure("listening")};
  return socket;
}

muster::result<file_descriptor> reserve_port() { return bound_socket(0, SO_REUSEPORT); }

int port_of(const file_descriptor& socket) noexcept {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
    return 0;
  return ntohs(address.sin_port);
}

muster::result<file_descriptor> connect_to(int port) {
  file_descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto address = loopback(port);
  if (!socket || ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return std::unexpected{system_failure("connecting to port " + std::to_string(port))};
  return socket;
}

bool other_side_has_left(int socket) noexcept {
  pollfd look{.fd = socket, .events = POLLRDHUP, .revents = 0};
  return ::poll(&look, 1, 0) > 0;
}

} // namespace shop
