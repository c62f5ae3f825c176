/// See actors.hpp.
#include "actors.hpp"

#include <stdexcept>

namespace telemetry {

namespace {

[[noreturn]] void die_of(const muster::error& why) { throw std::runtime_error{to_string(why)}; }

std::vector<reading> readings_in(const std::vector<parcel>& parcels) {
  std::vector<reading> all;
  for (const auto& each : parcels)
    all.push_back(each->what());
  return all;
}

void send_batch(caf::event_based_actor* self, wiring& around, std::vector<parcel>& in_hand) {
  if (in_hand.empty())
    return;
  for (const auto& each : in_hand)
    each->move_to(stage::to_writer);
  auto summaries = summarise(readings_in(in_hand));
  const sending marked;
  self->send(around.writer,
             batch{std::make_shared<letter>(around.books, true, std::exchange(in_hand, {})), std::move(summaries)});
}

} // namespace

caf::behavior sensor(caf::event_based_actor* self, wiring* around, std::size_t which) {
  const auto& from = around->sources.at(which);
  auto held = std::make_shared<post>(self, *around, from.name);
  self->delayed_send(self, around->wanted.period, tick_atom_v);
  return {
      [=, &from, sequence = std::uint32_t{0}](tick_atom) mutable {
        self->delayed_send(self, around->wanted.period, tick_atom_v);
        const auto value = from.read();
        if (!value)
          die_of(value.error());
        held->works();
        auto what = std::make_shared<ticket>(
            around->books, reading{from.name, held->incarnation(), ++sequence, *value, around->books.now()});
        const sending marked;
        self->send(around->aggregator,
                   one_reading{std::make_shared<letter>(around->books, false, std::vector{std::move(what)})});
      },
      [=](const order& what) { held->obey(what); },
      [=](finish_atom) { held->leave(); },
  };
}

caf::behavior aggregator(caf::event_based_actor* self, wiring* around) {
  // Shared with what empties it at its death, for CAF may keep a dead actor's state for a while.
  auto in_hand = std::make_shared<std::vector<parcel>>();
  auto held = std::make_shared<post>(self, *around, "aggregator", [in_hand] { in_hand->clear(); });
  self->delayed_send(self, around->wanted.flush, tick_atom_v);
  return {
      [=](const one_reading& one) {
        for (auto& each : one.inside->take()) {
          each->move_to(stage::in_aggregator, held->incarnation());
          in_hand->push_back(std::move(each));
        }
        held->works();
        if (in_hand->size() >= around->wanted.batch)
          send_batch(self, *around, *in_hand);
      },
      [=](tick_atom) {
        self->delayed_send(self, around->wanted.flush, tick_atom_v);
        send_batch(self, *around, *in_hand);
      },
      [=](const order& what) { held->obey(what); },
      [=](finish_atom) {
        send_batch(self, *around, *in_hand);
        held->leave();
      },
  };
}

caf::behavior writer(caf::event_based_actor* self, wiring* around) {
  auto held = std::make_shared<post>(self, *around, "writer");
  return {
      [=](const batch& one) {
        const auto& parcels = one.inside->contents();
        for (const auto& each : parcels)
          each->move_to(stage::in_writer, held->incarnation());
        held->works();
        if (auto kept = (**around->kept_in)->write(readings_in(parcels), one.summaries); !kept)
          die_of(kept.error());
        for (const auto& each : parcels)
          each->move_to(stage::stored);
      },
      [=](const order& what) { held->obey(what); },
      [=](finish_atom) { held->leave(); },
  };
}

} // namespace telemetry
