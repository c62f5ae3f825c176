/// The whole shop: the connections to the books, the three services and the door, as resources of one scope, in the
/// order of their opening; and the circuit breaker before the payment service.
///
/// Owner: the program's main thread, which alone opens, closes, and starts or kills services. Always holds: what the
/// scope opened is given back in reverse order, whatever happens: the door, then one last settling, then the services,
/// then the connections; when `close` or the destructor returns, no process and no thread of it is left.
#pragma once

#include "child_process.hpp"
#include "http_front.hpp"
#include "taking_back.hpp"

#include <memory>
#include <string>
#include <vector>

namespace shop {

/// A downstream service as a process, on a port that stays its own while the process is dead.
class service_process {
public:
  /// `pids`: gets the id of every process that is started.
  service_process(std::string name, std::string db, file_descriptor port, std::vector<pid_t>& pids);

  [[nodiscard]] muster::result<void> start();
  [[nodiscard]] muster::result<void> stop();
  void kill() noexcept;
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] int port() const noexcept { return port_of(port_); }
  [[nodiscard]] pid_t pid() const noexcept { return process_ ? process_->pid() : 0; }

private:
  std::string name_;
  std::string db_;
  file_descriptor port_;
  std::optional<child_process> process_;
  std::vector<pid_t>* pids_;
};

struct site_options {
  std::string db;
  int port = 0; ///< 0: of the kernel's choice
  muster::duration time_for_all = std::chrono::seconds{8};
  std::size_t connections = 4; ///< to the books, at most
  muster::duration breaker_open_for = std::chrono::seconds{2}; ///< before the payment service is tried again
  std::function<void(const muster::breaker_change&)> on_breaker{}; ///< of the payment service's; on the callback lane
  outcome_hook on_outcome = [](const std::string&, const verdict&) {};
};

class shop_site {
public:
  /// What `last settling` and the three services may take one after the other when they are given back, and a little
  /// more: the grace period of the manager above, which reports what is still there when it is over.
  static constexpr muster::duration time_to_leave = std::chrono::seconds{30};

  /// Below `site`, whose grace period is `time_to_leave`; nothing is opened yet.
  shop_site(muster::manager& site, site_options options);

  /// Opens everything; if something cannot be opened, what was opened goes back with this object.
  [[nodiscard]] muster::result<void> open();
  /// No new orders; those that are there have `drain` to be finished, then they are cancelled. Then everything goes
  /// back. An error if something could not be given back as it should.
  [[nodiscard]] muster::result<void> close(muster::duration drain);

  [[nodiscard]] muster::time_point now() const noexcept { return site_.now(); }
  [[nodiscard]] int port() const noexcept { return front_->port(); }
  [[nodiscard]] const std::vector<service_process*>& services() const noexcept { return services_; }
  [[nodiscard]] service_process& payment() noexcept { return *services_.at(1); }
  /// Once it has been opened. The connections stay to be asked about after `close`.
  [[nodiscard]] const ledger& connections() const noexcept { return *connections_; }
  [[nodiscard]] const muster::circuit_breaker& payment_breaker() const noexcept { return payment_breaker_; }
  /// Of all processes that were ever started.
  [[nodiscard]] const std::vector<pid_t>& pids() const noexcept { return pids_; }

private:
  [[nodiscard]] muster::result<downstream> open_service(const std::string& name,
                                                        muster::circuit_breaker* breaker = nullptr);

  muster::manager& site_;
  site_options options_;
  std::vector<pid_t> pids_;
  std::vector<service_process*> services_; ///< user, payment, inventory; each belongs to the scope
  std::optional<ledger> connections_; ///< a resource of the scope
  std::optional<counter> counter_;
  http_front* front_ = nullptr; ///< belongs to the scope
  muster::circuit_breaker payment_breaker_;
  muster::scope house_; ///< last, so that it ends first
};

} // namespace shop
