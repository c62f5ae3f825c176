// A third party's blocking call: `on_cancel` is how it is interrupted.
//
// C++ cannot end a thread that sits in read(2). What can be done is to make the call return: shut the socket down,
// close the connection, call the library's own cancel. The function is called on a worker kept for that, when the task
// is asked to stop, and at once if it has been already.
#include <muster/muster.hpp>

#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

using namespace std::chrono_literals;

/// A peer that never says anything.
struct silent_peer {
  int ours = -1;
  int theirs = -1;
  silent_peer() {
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0)
      ours = both[0], theirs = both[1];
  }
  silent_peer(const silent_peer&) = delete;
  silent_peer& operator=(const silent_peer&) = delete;
  ~silent_peer() {
    ::close(ours);
    ::close(theirs);
  }
};

int main() {
  silent_peer peer; // declared first: they go only after the tasks that use them
  std::mutex mutex;
  std::condition_variable_any told;
  muster::manager site{{.name = "site"}};
  auto crew = site.create_scope("crew", {.on_failure = muster::isolate});

  // `.blocking` tells the lane that this body will sit in foreign code, so that another worker may start at once.
  const auto answer = crew.execute({.name = "listen", .timeout = 20ms, .blocking = true},
                                   [&](muster::context& ctx) -> muster::result<std::string> {
    const auto stop = ctx.on_cancel([&] { ::shutdown(peer.ours, SHUT_RDWR); });
    char buffer[64];
    const auto got = ::read(peer.ours, buffer, sizeof buffer); // would wait for ever
    if (auto asked = ctx.checkpoint(); !asked)
      return std::unexpected{asked.error()}; // why it was interrupted
    return std::string(buffer, static_cast<std::size_t>(got));
  });
  std::printf("listening: %s\n", std::string{to_string(answer.get().kind())}.c_str());

  // What takes a std::stop_token is given the task's: here a condition variable of the standard library.
  const auto news = crew.execute({.name = "news", .timeout = 20ms, .blocking = true},
                                 [&](muster::context& ctx) -> muster::result<void> {
    std::unique_lock lock{mutex};
    told.wait(lock, ctx.stop_token(), [] { return false; }); // would wait for ever
    return ctx.checkpoint();
  });
  static_cast<void>(crew.wait());
  std::printf("waiting for news: %s\n", std::string{to_string(news.get().kind())}.c_str());
}
