// The first success wins: three mirrors are asked, one answer is enough.
//
// A failure does not win. The losers are cancelled and awaited, so when `race` returns nobody is still at work, and
// what they wrote to locals that were declared before it is complete.
#include <muster/muster.hpp>

#include <cstdio>
#include <string>

using namespace std::chrono_literals;

static muster::result<std::string> broken_mirror() {
  return std::unexpected{muster::error{std::errc::connection_refused, "nobody is at home"}};
}

int main() {
  muster::manager site{{.name = "site"}};

  std::string loser = "never ran"; // declared first: it outlives those who write to it
  const auto page = site.race(
    "page", broken_mirror,
    [&](muster::context& ctx) -> muster::result<std::string> {
      if (auto slept = ctx.sleep_for(1h); !slept) { // returns as soon as another has won
        loser = to_string(ctx.reason().kind());
        return std::unexpected{slept.error()};
      }
      return "from far away";
    },
    [](muster::context& ctx) -> muster::result<std::string> {
      if (auto slept = ctx.sleep_for(20ms); !slept)
        return std::unexpected{slept.error()};
      return "from next door";
    });
  std::printf("the page comes %s\n", page ? page->c_str() : to_string(page.error()).c_str());
  std::printf("the slow mirror was asked to stop: %s\n", loser.c_str());

  // Without a common type the result is a variant, whose index says who has won.
  const auto either = site.race(
    "either", [] { return 1200; }, [](muster::context& ctx) { // a plain value is a success; this one is in no hurry
      static_cast<void>(ctx.sleep_for(1h));
      return std::string{"bricks"};
    });
  std::printf("number %zu was quicker\n", either->index());

  // Nobody wins: the first error, with the others behind it.
  const auto none = site.race("none", broken_mirror, broken_mirror);
  std::printf("two broken mirrors: %zu error, and %zu behind it\n", std::size_t{!none}, none.error().later().size());
}
