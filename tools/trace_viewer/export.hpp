/// The formats of `muster-trace export`. Each writes the whole trace; what is open at its end stays open.
#pragma once

#include "command.hpp"
#include "paths.hpp"

namespace muster::trace_viewer {

/// For ui.perfetto.dev: a Trace message (perfetto/trace/trace.proto) with a track for each node below its parent's,
/// slices for its life, points for what went wrong, flows along causes and dependencies.
void write_perfetto(const trace_model& model, const paths& where, output& out);
/// Chrome's trace events as a bare JSON array with one event a line.
void write_chrome(const trace_model& model, const paths& where, output& out);
/// OTLP: JSON lines, each an ExportTraceServiceRequest with some of the spans.
void write_otlp(const trace_model& model, const paths& where, output& out);

} // namespace muster::trace_viewer
