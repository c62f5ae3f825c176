/// Chrome's trace events: bodies on the threads that ran them, lives as asynchronous spans, points, and arrows for
/// causes.
#include "causes.hpp"
#include "export.hpp"
#include "slices.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

#include <set>

namespace muster::trace_viewer {

namespace {

class chrome_writer {
public:
  chrome_writer(const trace_model& model, const paths& where, output& out) : model_{model}, where_{where}, out_{out} {}

  void write() {
    out_.write("[\n");
    put(fmt::format(R"({{"ph":"M","pid":{},"tid":0,"name":"process_name","args":{{"name":{}}}}})", pid(),
                    text(model_.data().program.empty() ? "muster" : model_.data().program)));
    std::set<std::int64_t> threads;
    for (const auto& n : model_.nodes())
      if (n.kind == node_kind::task && n.started != unset)
        threads.insert(n.thread);
    for (const auto t : threads)
      put(fmt::format(R"({{"ph":"M","pid":{},"tid":{},"name":"thread_name","args":{{"name":"{}"}}}})", pid(), t,
                      t == 0 ? "bodies" : "bodies on " + std::to_string(t)));
    for (const auto n : preorder(model_))
      node(n);
    out_.write("\n]\n");
  }

private:
  [[nodiscard]] std::int64_t pid() const noexcept { return model_.data().pid; }
  /// As a JSON string.
  [[nodiscard]] static std::string text(std::string_view raw) { return dump(json(std::string{raw}), -1); }
  /// Microseconds since the beginning.
  [[nodiscard]] std::string time(std::int64_t t) const {
    const auto ns = std::max<std::int64_t>(0, model_.since_begin(t));
    return fmt::format("{}.{:03}", ns / 1000, ns % 1000);
  }

  void put(std::string_view event) {
    if (std::exchange(any_, true))
      out_.write(",\n");
    out_.write(event);
  }

  void node(node_index n) {
    const auto& it = model_.at(n);
    const auto kind = to_string(it.kind);
    const auto spans = spans_of(model_, where_, n);
    for (std::size_t i = 0; i < spans.size(); ++i) {
      const auto& s = spans[i];
      if (s.body) {
        const auto args = fmt::format(R"({{"path":{},"state":{}}})", text(where_.text(n)), text(to_string(it.last)));
        const auto name = text(where_.component(n));
        if (s.to == unset)
          put(fmt::format(R"({{"ph":"B","cat":"body","pid":{},"tid":{},"ts":{},"name":{},"args":{}}})", pid(),
                          it.thread, time(s.from), name, args));
        else
          put(fmt::format(R"({{"ph":"X","cat":"body","pid":{},"tid":{},"ts":{},"dur":{}.{:03},"name":{},"args":{}}})",
                          pid(), it.thread, time(s.from), (s.to - s.from) / 1000, (s.to - s.from) % 1000, name, args));
        continue;
      }
      put(fmt::format(R"({{"ph":"b","cat":"{}","id":"{:#x}","pid":{},"tid":0,"ts":{},"name":{},"args":{{"path":{}}}}})",
                      kind, it.id, pid(), time(s.from), text(s.name), text(where_.text(n))));
      if (s.to != unset)
        put(fmt::format(R"({{"ph":"e","cat":"{}","id":"{:#x}","pid":{},"tid":0,"ts":{},"name":{}}})", kind, it.id,
                        pid(), time(s.to), text(s.name)));
    }
    for (const auto e : model_.events_of(n))
      if (is_point(model_, e))
        point(n, e);
  }

  void point(node_index n, event_index e) {
    const auto& it = model_.event_at(e);
    const auto tid = model_.at(n).kind == node_kind::task ? model_.at(n).thread : 0;
    put(fmt::format(R"({{"ph":"i","cat":"event","s":"t","pid":{},"tid":{},"ts":{},"name":"{}","args":{{"what":{}}}}})",
                    pid(), tid, time(it.time_ns), to_string(it.kind), text(sentence_of(model_, where_, e))));
    const auto cause = point_before(model_, e);
    if (cause == none_found)
      return;
    const auto& from = model_.event_at(cause);
    const auto by = model_.find(from.subject);
    const auto from_tid = by != none_found && model_.at(by).kind == node_kind::task ? model_.at(by).thread : 0;
    put(fmt::format(R"({{"ph":"s","cat":"cause","id":{},"pid":{},"tid":{},"ts":{},"name":"cause"}})", it.sequence,
                    pid(), from_tid, time(from.time_ns)));
    put(fmt::format(R"({{"ph":"f","bp":"e","cat":"cause","id":{},"pid":{},"tid":{},"ts":{},"name":"cause"}})",
                    it.sequence, pid(), tid, time(it.time_ns)));
  }

  const trace_model& model_;
  const paths& where_;
  output& out_;
  bool any_ = false;
};

} // namespace

void write_chrome(const trace_model& model, const paths& where, output& out) {
  chrome_writer{model, where, out}.write();
}

} // namespace muster::trace_viewer
