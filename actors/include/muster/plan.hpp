/// A plan: named steps and who comes after whom, written down before anything runs.
///
/// Owner: the user until `scope::execute` takes it. Threads: a plain value, one thread at a time. Invariant: nothing of
/// a plan starts unless all of it is sound: no cycle, no step after itself, no unknown and no double name.
#pragma once

#include <muster/api.hpp>
#include <muster/detail/owned.hpp>
#include <muster/options.hpp>
#include <muster/task.hpp>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

MUSTER_API_BEGIN

namespace muster {

/// The names of the steps that a step comes after: `.after = {"validate", "reserve"}`.
class step_names {
public:
  step_names() = default;
  /// These names, in any number.
  template <class... Names>
    requires(sizeof...(Names) > 0 && (std::convertible_to<const Names&, std::string_view> && ...))
  step_names(const Names&... names) {
    names_.reserve(sizeof...(Names));
    (names_.emplace_back(std::string_view{names}), ...);
  }
  /// Adds one more; for lists whose length is known only at run time.
  step_names& add(std::string_view name) {
    names_.emplace_back(name);
    return *this;
  }
  /// In the order in which they were given.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

private:
  std::vector<std::string> names_;
};

/// Like task_options, with dependencies by name.
struct step_options {
  std::string name;               ///< unique within the plan; must not be empty
  duration timeout = no_timeout;  ///< as task_options::timeout
  step_names after{};             ///< steps of this plan that must end ok first
  muster::priority priority = muster::priority::normal; ///< among those that are ready
  bool blocking = false;          ///< as task_options::blocking
  std::optional<duration> grace{}; ///< as task_options::grace
};

/// Steps that have been written down. See the top of this file.
class plan {
public:
  /// Adds a step. Its dependencies may be named before they are added. Returns the plan, for chaining.
  template <task_body F>
  plan& step(step_options options, F fn) {
    steps_.push_back({std::move(options), detail::make_owned<callable<F>>(std::move(fn))});
    return *this;
  }
  /// How many steps there are.
  [[nodiscard]] std::size_t size() const noexcept { return steps_.size(); }
  /// errc::invalid_plan with the reason (and the path of a cycle) if `execute` would refuse this plan.
  [[nodiscard]] result<void> check() const;

private:
  friend class scope;
  struct callable_base {
    virtual ~callable_base() = default;
    virtual detail::job_maker maker() = 0;
  };
  template <class F>
  struct callable final : callable_base {
    explicit callable(F&& f) : fn(std::move(f)) {}
    detail::job_maker maker() override { return detail::make_job<F>(fn); }
    F fn;
  };
  struct entry {
    step_options options;
    detail::owned<callable_base> body;
  };
  std::vector<entry> steps_;
};

/// A plan that has been started: its tasks by name. Copyable; the handles in it keep outcomes alive, not bodies.
class plan_run {
public:
  /// The task of the step `name`. An unknown name, or a `T` that is not what the step's body gives, is misuse (it
  /// asserts).
  template <class T>
  [[nodiscard]] task<T> at(std::string_view name) const {
    return handle_access::make<T>(find(name, &detail::type_mark<T>));
  }
  /// The names, in the order in which they were written.
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

private:
  friend class scope;
  [[nodiscard]] detail::ref<task_actor> find(std::string_view name, const void* type) const;
  std::vector<std::string> names_;
  std::vector<detail::ref<task_actor>> tasks_;
};

} // namespace muster

MUSTER_API_END
