/// A server that was there before Muster: it has its own threads and its own event loop. Each request is a task with a
/// time limit. SIGTERM: no new requests, those that are there may finish for a while, then they are called off, and
/// everybody leaves; a second SIGTERM calls them off at once.
#include "options.hpp"
#include "server.hpp"

#include <muster/muster.hpp>

#include <cstdio>
#include <exception>
#include <latch>
#include <mutex>

namespace {

void tell(const std::string& line) {
  static std::mutex one_at_a_time;
  const std::scoped_lock lock{one_at_a_time};
  std::puts(line.c_str());
  std::fflush(stdout);
}

/// Where Muster's own messages go in this application.
void log(const muster::log_record& record) { std::fprintf(stderr, "%s\n", to_line(record).c_str()); }

int run(const embedded::options& wanted) {
  // Destroyed from the last to the first: the requests, the manager, and the loop that both have used.
  std::latch asked{1};
  embedded::server server{wanted, tell};
  muster::manager site{{.name = "server", .log = log}};
  auto requests = site.create_scope("requests", {.on_failure = muster::isolate});

  server.start(requests, [&](int times) {
    if (times == 1)
      asked.count_down();
    else
      requests.cancel("asked twice");
  });
  asked.wait();

  server.stop_accepting();
  requests.close();
  tell("stopping: " + std::to_string(requests.children().size()) + " requests may finish");
  const auto finished = requests.wait_for(wanted.drain);
  if (!finished && finished.error().code() == muster::errc::not_ready) {
    tell("the time is up");
    requests.cancel("the time is up");
  }
  static_cast<void>(requests.wait()); // each request has told its own client
  server.forget_signals();            // they refer to what goes now
  tell("everybody has left");
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  const auto wanted = embedded::read_options(argc, argv);
  if (!wanted) {
    std::fprintf(stderr, "embedded_server: %s\n", wanted.error().c_str());
    return 2;
  }
  try {
    return run(*wanted);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "embedded_server: %s\n", e.what());
    return 1;
  }
}
