// Partial failure: with `isolate` the others run on, and every failure comes back.
//
// What was done is in the tasks' outcomes; what was not is in the error: a code for programs, a message and a path for
// people, the cause, the exception it was, and the failures that came after it.
#include <muster/muster.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <vector>

struct out_of_paper : std::runtime_error {
  using std::runtime_error::runtime_error;
};

int main() {
  muster::manager site{{.name = "site"}};
  auto crew = site.create_scope("mailing", {.on_failure = muster::isolate});
  const auto letter = crew.execute("letter", [] { return 3; });
  crew.execute("fax", []() -> int { throw out_of_paper{"tray 2"}; });
  crew.execute("mail", []() -> muster::result<int> {
    const muster::error refused{std::errc::connection_refused, "smtp.example.org"};
    return std::unexpected{muster::error{refused, "sending the newsletter"}}; // says what was being done meanwhile
  });

  const auto done = crew.wait();
  std::printf("letters sent: %d\n", letter.get().value());
  if (done)
    return 1; // two have failed

  // The first failure, then `later()`. Which was first is chance here, so they are put in order by their paths.
  std::vector<muster::error> all{done.error()};
  all.insert(all.end(), done.error().later().begin(), done.error().later().end());
  std::ranges::sort(all, {}, &muster::error::path);
  for (const auto& e : all) {
    std::printf("%s: %s\n", e.path().c_str(), e.message().c_str());
    if (e.is(std::errc::connection_refused)) // looks at the causes too
      std::printf("  may be tried again: %s\n", e.cause()->message().c_str());
    if (const auto* paper = e.as<out_of_paper>()) // the exception itself
      std::printf("  somebody has to go to %s\n", paper->what());
  }
  std::printf("the manager has heard of %zu failures\n", site.errors().errors.size());
}
