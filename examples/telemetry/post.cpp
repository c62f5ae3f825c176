/// See post.hpp.
#include "post.hpp"

#include <stdexcept>

namespace telemetry {

namespace {

/// Reports a death when it is destroyed: what is attached to an actor outlives its mailbox in every version of CAF, but
/// not all of them have closed that when they call it.
struct last_words {
  last_words(ledger& to, std::string called, std::uint32_t number)
      : books(to),
        name(std::move(called)),
        which(number) {}
  last_words(const last_words&) = delete;
  last_words& operator=(const last_words&) = delete;
  ~last_words() { books.died(name, which, violent, std::move(why)); }

  ledger& books;
  const std::string name;
  const std::uint32_t which;
  bool violent = false;
  std::string why;
};

} // namespace

post::post(caf::event_based_actor* self, wiring& around, std::string name, std::function<void()> at_death)
    : self_(self),
      around_(around),
      name_(std::move(name)),
      incarnation_(around.books.born(name_)) {
  self->attach_functor([words = std::make_shared<last_words>(around.books, name_, incarnation_),
                        at_death = std::move(at_death)](const caf::error& why) {
    words->violent = static_cast<bool>(why);
    words->why = caf::to_string(why);
    if (at_death)
      at_death();
  });
  // An exit message overtakes all others; what was sent before is not to be lost for that.
  self->set_exit_handler([self](const caf::exit_msg& asked) {
    if (asked.reason == caf::exit_reason::user_shutdown)
      self->send(self, finish_atom_v);
    else
      self->quit(asked.reason);
  });
  around.reachable.set(name_, self->address());
}

void post::obey(order what) {
  if (around_.calm)
    return;
  switch (what.what) {
  case mischief::throws: throw std::runtime_error{"chaos: an exception"};
  case mischief::quits: self_->quit(caf::exit_reason::remote_link_unreachable); break;
  case mischief::breaks_later: breaks_ = true; break;
  }
}

void post::works() const {
  if (breaks_ && !around_.calm)
    throw std::runtime_error{"chaos: an exception at work"};
}

void post::leave() {
  around_.books.note("-" + name_); // before it is down: its supervisor stops the next one then
  self_->quit();
}

} // namespace telemetry
