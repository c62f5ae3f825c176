/// A downstream service around httplib's own server, for which its thread pool is good enough: nothing here has to be
/// cancelled. The main thread waits for the signal; see service_host.hpp.
#include "service_host.hpp"

#include "child_process.hpp"

#include <httplib.h>

#include <pthread.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

namespace shop {

namespace {

/// Many, since a handler that plays a slow bank keeps its thread.
constexpr std::size_t handler_threads = 64;
constexpr int waiting_connections = 128;

class server final : public httplib::Server {
public:
  /// httplib binds with SO_REUSEPORT, so that the port can be the one that the parent keeps. Its queue of five
  /// connections is lengthened.
  bool open(int port) { return bind_to_port("127.0.0.1", port) && ::listen(svr_sock_, waiting_connections) == 0; }
};

void answer(const service_handler& handler, const httplib::Request& req, httplib::Response& res) {
  muster::result<nlohmann::json> got;
  try {
    got = handler(nlohmann::json::parse(req.body));
  } catch (const nlohmann::json::exception& e) {
    got = std::unexpected{muster::error{failure::malformed, e.what()}};
  }
  if (got) {
    res.status = 200;
    res.set_content(text_of(*got), "application/json");
    return;
  }
  const auto& e = got.error();
  const auto code =
      e.code().category() == failure_category() ? static_cast<failure>(e.code().value()) : failure::service_broke;
  const nlohmann::json body{{"failure", name_of(code)}, {"message", e.message()}};
  res.status = http_status(code);
  res.set_content(text_of(body), "application/json");
}

} // namespace

int run_service(const service_options& options, const std::function<service_routes()>& start,
                const std::function<void()>& stopping) {
  if (options.parent != 0 && !end_with_parent(options.parent))
    return 1;
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any other thread is there, so that all have it

  server http;
  http.new_task_queue = [] { return new httplib::ThreadPool(handler_threads); };
  http.set_exception_handler([](const httplib::Request&, httplib::Response& res, std::exception_ptr thrown) {
    const nlohmann::json body{{"failure", name_of(failure::service_broke)},
                              {"message", muster::error::from_exception(std::move(thrown)).message()}};
    res.status = 500;
    res.set_content(text_of(body), "application/json");
  });
  const auto routes = start();
  for (const auto& [path, handler] : routes)
    http.Post(path, [&handler](const httplib::Request& req, httplib::Response& res) { answer(handler, req, res); });
  if (!http.open(options.port)) {
    std::fprintf(stderr, "cannot listen on port %d\n", options.port);
    return 1;
  }

  std::atomic<bool> over = false;
  std::thread listening{[&] {
    http.listen_after_bind();
    // The signal that main waits for may never come if it is this that has ended.
    if (!over.exchange(true))
      ::kill(::getpid(), SIGTERM);
  }};
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  ::sigwait(&signals, &signal);
  const bool failed = over.exchange(true);
  stopping();
  // `stop` does nothing on a server that is just about to begin.
  while (!failed && !http.is_running())
    std::this_thread::yield();
  http.stop();
  listening.join();
  return failed ? 1 : 0;
}

} // namespace shop
