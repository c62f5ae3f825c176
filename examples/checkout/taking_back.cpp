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

/// One round, begun in random order and broken off after about `limit`: an error if something remains unsettled.
/// `work_with(fn)` calls `fn(books&)`, or says why it could not: so no connection is held while a service is asked.
template <class WorkWith>
muster::result<void> settle_once(const counter& at, muster::duration limit, const WorkWith& work_with) {
  const auto until = at.site.now() + limit;
  std::vector<std::string> ids;
  if (auto read = work_with([&](books& b) { ids = b.unsettled(); }); !read)
    return read;
  std::size_t settled = 0;
  for (const auto& id : ids) {
    if (at.site.now() >= until)
      break;
    if (!void_charge(at.payment, id) || !release_reservation(at.inventory, id))
      continue;
    if (auto entered = work_with([&](books& b) { b.settle(id); }); !entered)
      return entered;
    ++settled;
  }
  if (settled == ids.size())
    return {};
  return std::unexpected{muster::error{std::errc::resource_unavailable_try_again,
                                       fmt::format("{} failed orders are still to be settled", ids.size() - settled)}};
}

} // namespace

muster::result<void> void_charge(const downstream& payment, const std::string& id) {
  return take_back(payment, "/void", id);
}

muster::result<void> release_reservation(const downstream& inventory, const std::string& id) {
  return take_back(inventory, "/release", id);
}


muster::result<void> settle_at_the_end(const counter& at, const std::string& db, muster::duration limit) {
  auto direct = at;
  direct.payment = at.payment.without_breaker();
  books own{db};
  return settle_once(direct, limit, [&](const auto& work) { return work(own), muster::result<void>{}; });
}

muster::result<void> settle_for_ever(muster::context& ctx, const counter& at) {
  for (;;) {
    try {
      const auto in_turn = [&](const auto& work) { return with_books(ctx, at.connections, patience, work); };
      if (auto done = settle_once(at, 2s, in_turn); !done)
        ctx.note(done.error().message());
    } catch (const std::system_error& e) { // the books are locked for too long: next time
      ctx.note(e.what());
    }
    if (auto slept = ctx.sleep_for(100ms); !slept)
      return slept;
  }
}

} // namespace shop
