/// See trace_json.hpp.
#include "trace_json.hpp"

#include "json_text.hpp"

#include <muster/trace.hpp>

namespace muster {

void runtime::append_event_line(fmt::memory_buffer& to, const recorder& of, const event& e) {
  const auto put = fmt::appender(to);
  fmt::format_to(put, R"({{"sequence":{},"time":{},"kind":"{}","subject":{},"cause":{},"value":{},"thread":{})",
                 e.sequence, e.time_ns, to_string(e.kind), e.subject, e.cause, e.value, e.thread);
  if (e.text != 0) {
    fmt::format_to(put, R"(,"text":)");
    append_json(to, of.text(e.text));
  }
  fmt::format_to(put, "}}\n");
}

} // namespace muster
