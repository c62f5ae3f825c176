// The log hook that writes to CAF's logger. Threads: that logger takes lines from any.
#include <muster/caf.hpp>

#include "caf_port.hpp"

namespace muster {

log_hook to_caf_log(caf::actor_system& system) {
  return [&system](const log_record& record) {
    const auto rank = record.severity == log_record::level::error     ? runtime::log_rank::error
                      : record.severity == log_record::level::warning ? runtime::log_rank::warning
                                                                      : runtime::log_rank::info;
    runtime::write_log(system, rank, to_line(record));
  };
}

} // namespace muster
