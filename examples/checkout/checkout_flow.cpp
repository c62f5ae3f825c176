/// The checkout, step by step: `fill` is the plan, the functions above it are the bodies of its tasks.
#include "checkout_flow.hpp"

#include "failure.hpp"
#include "taking_back.hpp"

#include <atomic>

namespace shop {

namespace {

using namespace std::chrono_literals;

constexpr muster::duration time_to_enter = 5s;

/// What has become of one order so far. Outlives the scope of its tasks, and so their releases.
struct progress {
  std::atomic<bool> confirmed = false;
  std::atomic<int> owed = 0; ///< charges and reservations that may exist and have not been taken back
};

muster::result<void> without_value(const muster::result<nlohmann::json>& reply) {
  if (!reply)
    return std::unexpected{reply.error()};
  return {};
}

muster::result<void> validate_cart(muster::context& ctx, const counter& at, const order& o) {
  if (auto price = price_of(o.cart); !price)
    return std::unexpected{std::move(price).error()};
  return without_value(at.users.post(ctx, "/verify", {{"user", o.user}}));
}

/// Tells the scope how to take something back, *before* a service is asked for it: so it happens even if nobody ever
/// learns what became of the question. The scope does it when the tasks have ended, last in first out, and whatever
/// has been cancelled by then.
template <class TakeBack>
muster::result<void> unless_confirmed(muster::context& ctx, std::string what, progress& made, TakeBack take_back) {
  ++made.owed;
  const auto release = [&made](const TakeBack& undo) -> muster::result<void> {
    if (made.confirmed)
      return {};
    auto done = undo();
    if (done)
      --made.owed;
    return done;
  };
  if (auto promised = ctx.register_resource({.name = std::move(what), .timeout = 3s}, take_back, release); !promised)
    return std::unexpected{std::move(promised).error()};
  return {};
}

muster::result<void> charge_card(muster::context& ctx, const counter& at, const order& o, progress& made) {
  auto promised = unless_confirmed(ctx, "void the charge", made, [&] { return void_charge(at.payment, o.id); });
  if (!promised)
    return promised;
  const auto cents = price_of(o.cart).value();
  return without_value(at.payment.post(ctx, "/charge", {{"key", o.id}, {"card", o.card}, {"cents", cents}}));
}

muster::result<void> reserve_stock(muster::context& ctx, const counter& at, const order& o, progress& made) {
  auto promised =
    unless_confirmed(ctx, "release the stock", made, [&] { return release_reservation(at.inventory, o.id); });
  if (!promised)
    return promised;
  return without_value(at.inventory.post(ctx, "/reserve", {{"key", o.id}, {"items", to_json(o.cart)}}));
}

/// One transaction in the books. From here on the order stands, whatever else happens.
muster::result<void> confirm(muster::context& ctx, const counter& at, const order& o, const verdict& good,
                             progress& made) {
  auto done = with_books(ctx, at.connections, at.time_for_all,
                         [&](books& b) { return b.confirm(o.id, good.status, text_of(good.answer)); });
  if (!done)
    return std::unexpected{std::move(done).error()};
  if (!*done)
    return std::unexpected{muster::error{failure::in_progress, "the order is no longer pending"}};
  made.confirmed = true;
  return {};
}

/// A client that hangs up fails the order as any other part of it does.
muster::result<void> stay_on_the_line(muster::context& ctx, const std::function<bool()>& client_has_left) {
  while (!client_has_left())
    if (auto slept = ctx.sleep_for(20ms); !slept)
      return slept;
  return std::unexpected{muster::error{failure::client_gone, "the client hung up"}};
}

muster::result<void> fill(const counter& at, const order& o, const std::function<bool()>& client_has_left,
                          const verdict& good, progress& made) {
  muster::manager request{at.site, "request-" + o.id};
  return request.with_timeout("checkout", at.time_for_all, [&](muster::scope& crew) {
    auto validate  = crew.execute({.name = "validate", .timeout = 3s, .blocking = true},
                                  [&](muster::context& ctx) { return validate_cart(ctx, at, o); });
    auto charge    = crew.execute({.name = "charge", .timeout = 5s, .after = {validate}, .blocking = true},
                                  [&](muster::context& ctx) { return charge_card(ctx, at, o, made); });
    auto inventory = crew.execute({.name = "inventory", .timeout = 3s, .blocking = true},
                                  [&](muster::context& ctx) { return reserve_stock(ctx, at, o, made); });
    crew.execute({.name = "confirm", .after = {charge, inventory}},
                 [&](muster::context& ctx) { return confirm(ctx, at, o, good, made); });
    crew.execute({.name = "client", .daemon = true},
                 [&](muster::context& ctx) { return stay_on_the_line(ctx, client_has_left); });
    return crew.wait();
  });
}

verdict first_answer_of(const order_record& known) {
  if (known.state == order_state::pending)
    return verdict_on(muster::error{failure::in_progress, "order " + known.id + " is being worked on"});
  return {.status = known.status, .answer = nlohmann::json::parse(known.answer, nullptr, false)};
}

} // namespace

verdict verdict_on(muster::error e) {
  const int status = http_status(e);
  return {.status = status, .answer = {{"error", to_json(e)}}, .error = std::move(e)};
}

verdict checkout(muster::context& ctx, const counter& at, const order& o,
                 const std::function<bool()>& client_has_left) {
  const auto cents = price_of(o.cart).value_or(0);
  auto known = with_books(ctx, at.connections, at.time_for_all, [&](books& b) { return b.open(o, cents); });
  if (!known)
    return verdict_on(std::move(known).error());
  if (*known)
    return first_answer_of(**known);

  const verdict good{.answer = {{"order", o.id}, {"state", "confirmed"}, {"cents", cents}}};
  progress made;
  auto filled = fill(at, o, client_has_left, good, made);
  // The time may have run out, or the client left, in the very moment of the confirmation: it is what counts.
  if (filled || made.confirmed)
    return good;
  auto bad = verdict_on(std::move(filled).error());
  // A shop that is closing may have asked this task to stop: the books are written all the same. If not even that can
  // be done the order stays pending, and fails when the shop is opened again.
  auto entered = ctx.shield(time_to_enter, [&](muster::context& safe) {
    return with_books(safe, at.connections, time_to_enter,
                      [&](books& b) { b.fail(o.id, bad.status, text_of(bad.answer), made.owed == 0); });
  });
  if (!entered)
    ctx.note("the failure of " + o.id + " was not entered: " + entered.error().message());
  return bad;
}

} // namespace shop
