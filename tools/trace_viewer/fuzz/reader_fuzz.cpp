/// A libFuzzer target: whatever the bytes, the reader answers with a trace or a sentence, what it gives holds, and
/// every command and export stands it. How it is built and run: fuzz.cmake.
///
/// The header's checksum is put right first: else nearly everything would stop there.
#include "command.hpp"
#include "trace_file.hpp"

#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace format = muster::trace_format;
  std::vector<std::byte> bytes(size);
  std::memcpy(bytes.data(), data, size);
  if (size >= sizeof(format::file_header)) {
    format::file_facts facts;
    std::memcpy(&facts, bytes.data(), sizeof facts);
    const auto sum = format::checksum_of(facts);
    std::memcpy(bytes.data() + offsetof(format::file_header, facts_checksum), &sum, sizeof sum);
  }
  auto trace = muster::trace_viewer::read_trace_bytes(bytes);
  if (!trace)
    return trace.error().empty() ? (std::abort(), 0) : 0;
  std::uint64_t last = 0;
  for (const auto& e : trace->events) {
    if (e.sequence <= last || e.text >= trace->texts.size())
      std::abort();
    last = e.sequence;
  }
  for (const auto& one : trace->alive)
    if (one.text >= trace->texts.size())
      std::abort();

  using namespace muster::trace_viewer;
  const trace_model model{std::move(*trace)};
  output out;
  for (const auto run : {run_tree, run_summary, run_timeline, run_blame, run_waits, run_critical, run_lint, run_check})
    for (const bool json : {false, true})
      static_cast<void>(run(model, {.json = json}, out));
  for (const auto* to : {"perfetto", "chrome", "otlp", "dot"})
    static_cast<void>(run_export(model, {}, to, out));
  return 0;
}
