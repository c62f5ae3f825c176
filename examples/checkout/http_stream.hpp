/// A connection as httplib reads and writes it, with limits on what one request may take.
///
/// Owner and thread: the task that serves the connection. Always holds: reading ends (with -1) at `until`, when
/// `budget` bytes have been read, or when the socket is shut down, so no client can keep the task or fill the memory.
#pragma once

#include <httplib.h>

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstring>

namespace shop {

class http_stream final : public httplib::Stream {
public:
  using clock = std::chrono::steady_clock;
  http_stream(int socket, clock::time_point until, std::size_t budget) noexcept
      : socket_(socket),
        until_(until),
        budget_(budget) {}

  bool is_readable() const override { return begin_ != end_ || ready(POLLIN, until_); }
  bool is_writable() const override { return ready(POLLOUT, clock::now() + write_patience); }

  ssize_t read(char* to, std::size_t size) override {
    if (begin_ == end_ && !fill())
      return -1;
    const auto taken = std::min(size, end_ - begin_);
    std::memcpy(to, buffer_.data() + begin_, taken);
    begin_ += taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* from, std::size_t size) override {
    return is_writable() ? ::send(socket_, from, size, MSG_NOSIGNAL) : -1;
  }

  void get_remote_ip_and_port(std::string& ip, int& port) const override {
    ip = "127.0.0.1";
    port = 0;
  }
  void get_local_ip_and_port(std::string& ip, int& port) const override { get_remote_ip_and_port(ip, port); }
  socket_t socket() const override { return socket_; }

  /// For an answer that was given before the request had been read whole: says that no more comes, and reads the rest
  /// away for a while, because closing with bytes unread would take the answer from the client.
  void linger(clock::duration patience) {
    ::shutdown(socket_, SHUT_WR);
    until_ = std::min(until_, clock::now() + patience);
    do
      begin_ = end_;
    while (fill());
  }

private:
  static constexpr std::chrono::seconds write_patience{5};

  bool ready(short events, clock::time_point until) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()).count();
    pollfd look{.fd = socket_, .events = events, .revents = 0};
    return ::poll(&look, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
  }
  bool fill() {
    if (budget_ == 0 || !ready(POLLIN, until_))
      return false;
    const auto got = ::recv(socket_, buffer_.data(), std::min(buffer_.size(), budget_), 0);
    if (got <= 0)
      return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(got);
    budget_ -= end_;
    return true;
  }

  int socket_;
  clock::time_point until_;
  std::size_t budget_;
  std::array<char, 8192> buffer_{};
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

} // namespace shop
