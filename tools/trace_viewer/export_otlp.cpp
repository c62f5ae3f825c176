/// OpenTelemetry's protocol as JSON lines (OTLP/JSON): a span for each node, whose parent is that of the node above it.
#include "causes.hpp"
#include "export.hpp"
#include "slices.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

namespace muster::trace_viewer {

namespace {

constexpr std::size_t spans_a_line = 512;

class otlp_writer {
public:
  otlp_writer(const trace_model& model, const paths& where, output& out) : model_{model}, where_{where}, out_{out} {
    // One process run is one trace; the same file gives the same number.
    const auto& data = model.data();
    trace_ = fmt::format("{:016x}{:016x}", static_cast<std::uint64_t>(data.wall_anchor_ns) ^ 0x6d75'7374'6572'0000U,
                         static_cast<std::uint64_t>(data.pid) << 32U | 1U);
  }

  void write() {
    auto spans = json::array();
    for (const auto n : preorder(model_)) {
      if (auto one = span(n); !one.is_null())
        spans.push_back(std::move(one));
      if (spans.size() >= spans_a_line)
        line(spans);
    }
    if (!spans.empty() || !any_)
      line(spans);
  }

private:
  [[nodiscard]] static json attribute(const char* key, const std::string& text) {
    return {{"key", key}, {"value", {{"stringValue", valid_utf8(text)}}}};
  }
  [[nodiscard]] static json attribute(const char* key, std::int64_t number) {
    return {{"key", key}, {"value", {{"intValue", std::to_string(number)}}}};
  }
  [[nodiscard]] std::string time(std::int64_t t) const {
    return std::to_string(std::max<std::int64_t>(0, model_.wall_ns(t)));
  }
  [[nodiscard]] std::string span_id(node_index n) const { return fmt::format("{:016x}", model_.at(n).id); }

  [[nodiscard]] json span(node_index n) const {
    const auto& it = model_.at(n);
    const auto from = it.created != unset   ? it.created
                      : it.ready != unset   ? it.ready
                      : it.started != unset ? it.started
                                            : it.ended;
    if (from == unset || it.id == 0)
      return {};
    json s{{"traceId", trace_}, {"spanId", span_id(n)}};
    if (it.parent != none_found)
      s["parentSpanId"] = span_id(it.parent);
    s["name"] = valid_utf8(where_.component(n));
    s["kind"] = 1; // internal
    s["startTimeUnixNano"] = time(from);
    s["endTimeUnixNano"] = time(it.ended != unset ? std::max(it.ended, from) : std::max(model_.end_ns(), from));
    s["attributes"] = {attribute("muster.kind", std::string{to_string(it.kind)}),
                       attribute("muster.path", where_.text(n)),
                       attribute("muster.state", std::string{to_string(it.last)})};
    if (it.restarts > 0)
      s["attributes"].push_back(attribute("muster.restarts", it.restarts));
    if (it.thread != 0)
      s["attributes"].push_back(attribute("thread.id", it.thread));
    if (it.ended == unset)
      s["attributes"].push_back({{"key", "muster.open"}, {"value", {{"boolValue", true}}}});
    auto points = json::array();
    auto links = json::array();
    for (const auto e : model_.events_of(n)) {
      const auto& what = model_.event_at(e);
      if (what.kind == event_kind::dependency)
        if (const auto other = model_.find(what.value); other != none_found)
          links.push_back(
              {{"traceId", trace_}, {"spanId", span_id(other)}, {"attributes", {attribute("muster.link", "after")}}});
      if (!is_point(model_, e))
        continue;
      points.push_back({{"timeUnixNano", time(what.time_ns)},
                        {"name", to_string(what.kind)},
                        {"attributes", {attribute("muster.what", sentence_of(model_, where_, e))}}});
      if (const auto cause = point_before(model_, e); cause != none_found)
        if (const auto by = model_.find(model_.event_at(cause).subject); by != none_found && by != n)
          links.push_back(
              {{"traceId", trace_}, {"spanId", span_id(by)}, {"attributes", {attribute("muster.link", "cause")}}});
    }
    if (!points.empty())
      s["events"] = std::move(points);
    if (!links.empty())
      s["links"] = std::move(links);
    if (it.last == state::ok)
      s["status"] = {{"code", 1}};
    else if (is_bad(it.last) || it.last == state::cancelled)
      s["status"] = {{"code", 2}, {"message", it.end_event == none_found ? std::string{to_string(it.last)}
                                              : valid_utf8(model_.text(model_.event_at(it.end_event).text))}};
    else
      s["status"] = json::object();
    return s;
  }

  void line(json& spans) {
    const auto& data = model_.data();
    json request{{"resourceSpans",
                  {{{"resource",
                     {{"attributes",
                       {attribute("service.name", data.program.empty() ? "muster" : data.program),
                        attribute("process.pid", data.pid)}}}},
                    {"scopeSpans", {{{"scope", {{"name", "muster"}}}, {"spans", std::move(spans)}}}}}}}};
    out_.write(dump(request, -1) + "\n");
    spans = json::array();
    any_ = true;
  }

  const trace_model& model_;
  const paths& where_;
  output& out_;
  std::string trace_;
  bool any_ = false;
};

} // namespace

void write_otlp(const trace_model& model, const paths& where, output& out) { otlp_writer{model, where, out}.write(); }

} // namespace muster::trace_viewer
