// The smallest use of an installed Muster: one scope, one task, everybody back.
#include <muster/muster.hpp>

int main() {
  int answer = 0;
  muster::manager site;
  muster::scope crew = site.create_scope("consumer");
  crew.execute("answer", [&] { answer = 42; });
  return crew.wait() && answer == 42 ? 0 : 1;
}
