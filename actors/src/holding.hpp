/// What a task holds of others and has to give back by its end: leases of pools, permits of circuit breakers.
///
/// Owner: whoever made the holding; the task only lists it. Threads: `hold` on the task's own thread, `let_go` from
/// any, `end` on the worker that ends the task. Invariants: each holding hears `holder_gone` at most once, after the
/// body's callable has been destroyed and before the outcome counts; after `let_go` it hears nothing any more.
#pragma once

#include "mutex.hpp"
#include "intrusive_list.hpp"

#include <mutex>

namespace muster {

struct holding_link : list_link {};

class holding : public holding_link {
public:
  holding() = default;
  holding(const holding&) = delete;
  holding& operator=(const holding&) = delete;

  /// The task ended without giving it back, and lists it no longer. Runs under the task's own lock for this list, so
  /// that `let_go` on another thread waits for it: short, no user code, no `hold` or `let_go`, no lock under which
  /// somebody calls those two. The holding may be destroyed inside.
  virtual void holder_gone() noexcept = 0;

protected:
  ~holding() = default;
};

/// The holdings of one task.
class holdings {
public:
  /// Lists `what`, which is not listed anywhere.
  void hold(holding& what) noexcept;
  /// On return `what` is not listed, and its `holder_gone` neither runs nor will. True: it has not run either.
  bool let_go(holding& what) noexcept;
  /// The task ends: tells all that are left, in the order in which they were taken.
  void end() noexcept;

private:
  runtime::mutex mutex_; ///< before the locks that `holder_gone` takes
  intrusive_list<holding, holding_link> list_;
};

} // namespace muster
