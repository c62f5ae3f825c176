// The smallest program with Muster that does something: what the benchmark's case `compile` compiles, beside what any
// program includes (baseline.cpp).
#include <muster/muster.hpp>

int main() {
  muster::manager site;
  auto crew = site.create_scope("crew");
  crew.execute("one", [] { return 1; });
  return crew.wait() ? 0 : 1;
}
