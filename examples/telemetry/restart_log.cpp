/// See restart_log.hpp.
#include "restart_log.hpp"

#include <algorithm>

namespace telemetry {

namespace {

using muster::child_transition;

std::string last_part(const std::string& path) { return path.substr(path.rfind('/') + 1); }

} // namespace

void restart_log::take(const muster::child_event& e, const std::string& name, std::set<std::string>& down) {
  if (e.for_good)
    return; // with its supervisor
  switch (e.what) {
  case child_transition::ended:
    ++counts_.failed;
    ++counts_.failures[name];
    down.insert(name);
    break;
  case child_transition::stopped:
    ++counts_.companions;
    ++counts_.stops[name];
    down.insert(name);
    break;
  case child_transition::start_failed:
    if (e.incarnation == 1)
      break; // it was never up, so nothing went down
    ++counts_.start_failed;
    down.insert(name);
    break;
  case child_transition::started:
    counts_.restarted += e.incarnation > 1 ? 1 : 0;
    down.erase(name);
    break;
  default: break;
  }
}

void restart_log::of_root(const muster::child_event& e) {
  const std::scoped_lock lock{mutex_};
  const auto name = last_part(e.path);
  if (e.what == child_transition::stopped && !e.for_good) {
    const auto here = std::ranges::find(in_order_, name);
    if (std::none_of(in_order_.begin(), here, [&](const auto& before) { return root_down_.contains(before); }))
      ++counts_.unexplained;
  }
  take(e, name, root_down_);
  if (name == "sensors" && !e.for_good &&
      (e.what == child_transition::ended || e.what == child_transition::stopped)) {
    ++counts_.supervisors_ended;
    counts_.superseded += sensors_down_.size();
    sensors_down_.clear();
  }
}

void restart_log::of_sensor(const muster::child_event& e) {
  const std::scoped_lock lock{mutex_};
  if (e.what == child_transition::gave_up)
    ++counts_.gave_up;
  else
    take(e, last_part(e.path), sensors_down_);
}

restart_counts restart_log::counts() const {
  const std::scoped_lock lock{mutex_};
  auto now = counts_;
  now.not_restarted = root_down_.size() + sensors_down_.size();
  return now;
}

} // namespace telemetry
