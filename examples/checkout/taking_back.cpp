/// Void, release, and the daemon that repeats them; see taking_back.hpp.
#include "taking_back.hpp"

#include "checkout_flow.hpp"

#include <fmt/format.h>

namespace shop {

namespace {

using namespace std::chrono_literals;

constexpr muster::duration patience = 1s;

muster::result<void> take_back(const downstream& service, const std::string& path, const std::string& id) {
  const auto reply = service.post(patience, path, {{"key", id}});
  if (!reply)
    return std::unexpected{reply.error()};
  return {};
}

} // namespace

muster::result<void> void_charge(const downstream& payment, const std::string& id) {
  return take_back(payment, "/void", id);
}

muster::result<void> release_reservation(const downstream& inventory, const std::string& id) {
  return take_back(inventory, "/release", id);
}

muster::result<void> settle_once(const counter& at, muster::duration limit) {
  const auto until = at.site.now() + limit;
  const auto ids = at.ledger.unsettled();
  std::size_t settled = 0;
  for (const auto& id : ids) {
    if (at.site.now() >= until)
      break;
    if (!void_charge(at.payment, id) || !release_reservation(at.inventory, id))
      continue;
    at.ledger.settle(id);
    ++settled;
  }
  if (settled == ids.size())
    return {};
  return std::unexpected{muster::error{std::errc::resource_unavailable_try_again,
                                       fmt::format("{} failed orders are still to be settled", ids.size() - settled)}};
}

muster::result<void> settle_for_ever(muster::context& ctx, const counter& at) {
  for (;;) {
    try {
      if (auto done = settle_once(at, 2s); !done)
        ctx.note(done.error().message());
    } catch (const std::system_error& e) { // the books are locked for too long: next time
      ctx.note(e.what());
    }
    if (auto slept = ctx.sleep_for(100ms); !slept)
      return slept;
  }
}

} // namespace shop
