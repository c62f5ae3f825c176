/// A store that keeps what it is given, and fails when it is told to.
#pragma once

#include "../store.hpp"

#include <set>
#include <tuple>

namespace telemetry::testing {

class memory_store final : public store {
public:
  /// The n-th write from now on fails, once.
  void fail_at(std::uint64_t n) { fails_at_ = n; }

  muster::result<void> write(std::span<const reading> readings, std::span<const summary> summaries) override {
    if (closed)
      return std::unexpected{muster::error{muster::errc::bad_argument, "written after it was closed"}};
    if (fails_at_ != 0 && --fails_at_ == 0)
      return std::unexpected{muster::error{std::errc::no_space_on_device, "the disk is full"}};
    std::uint64_t summed = 0;
    for (const auto& each : summaries)
      summed += each.count;
    sound = sound && summed == readings.size();
    for (const auto& each : readings)
      sound = kept.emplace(each.source, each.incarnation, each.sequence).second && sound;
    return {};
  }
  muster::result<void> close() override {
    sound = sound && !closed;
    closed = true;
    return {};
  }

  std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> kept;
  bool closed = false;
  bool sound = true; ///< no reading came twice, summaries agree, closed once

private:
  std::uint64_t fails_at_ = 0;
};

} // namespace telemetry::testing
