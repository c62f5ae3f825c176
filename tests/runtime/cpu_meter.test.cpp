/// Charging processor time to bodies.
#include "cpu_meter.hpp"

#include "../catch.hpp"

using muster::duration;
using muster::runtime::cpu_meter;
using namespace std::chrono_literals;

TEST_CASE("a short body is charged its wall time without asking the kernel", "[cpu_meter]") {
  cpu_meter meter;
  meter.begin(0ns);
  bool asked = false;
  CHECK(meter.charge(10us, [&] {
    asked = true;
    return duration{};
  }) == 10us);
  CHECK_FALSE(asked);
}

TEST_CASE("a long body is charged what its thread used", "[cpu_meter]") {
  cpu_meter meter;
  meter.begin(5ms);
  CHECK(meter.charge(100ms, [] { return duration{8ms}; }) == 3ms);
  CHECK(meter.charge(100ms, [] { return duration{8ms}; }) == 0ms);
}

TEST_CASE("short bodies before a long one are not charged twice", "[cpu_meter]") {
  cpu_meter meter;
  meter.begin(0ns);
  static_cast<void>(meter.charge(40us, [] { return duration{}; }));
  static_cast<void>(meter.charge(40us, [] { return duration{}; }));
  CHECK(meter.charge(1ms, [] { return duration{580us}; }) == 500us);
}

TEST_CASE("nobody is charged more than wall time or less than nothing", "[cpu_meter]") {
  cpu_meter meter;
  meter.begin(0ns);
  CHECK(meter.charge(1ms, [] { return duration{5ms}; }) == 1ms);
  static_cast<void>(meter.charge(40us, [] { return duration{}; }));
  CHECK(meter.charge(1ms, [] { return duration{5ms}; }) == 0ns);
}
