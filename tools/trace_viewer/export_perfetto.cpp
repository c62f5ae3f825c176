/// Perfetto's protocol buffers, written with protozero. The field numbers are those of Perfetto's public trace
/// protocol: trace_packet.proto, track_descriptor.proto, track_event.proto, debug_annotation.proto.
#include "causes.hpp"
#include "export.hpp"
#include "slices.hpp"
#include "text.hpp"
#include "tree_rows.hpp"

#include <protozero/pbf_writer.hpp>

#include <algorithm>
#include <unordered_map>

namespace muster::trace_viewer {

namespace {

constexpr std::uint32_t in_trace_packet = 1;
constexpr std::uint32_t packet_timestamp = 8, packet_sequence = 10, packet_track_event = 11, packet_sequence_flags = 13,
                        packet_track_descriptor = 60;
constexpr std::uint32_t track_uuid = 1, track_name = 2, track_process = 3, track_parent = 5, process_pid = 1,
                        process_name = 6;
constexpr std::uint32_t event_annotation = 4, event_type = 9, event_track = 11, event_category = 22, event_name = 23,
                        event_flow = 47, event_flow_end = 48;
constexpr std::uint32_t annotation_name = 10, annotation_text = 6, annotation_number = 4;
constexpr int slice_begin = 1, slice_end = 2, instant = 3;
constexpr std::uint64_t process_track = 1;
constexpr std::uint32_t our_sequence = 1;

class perfetto_writer {
public:
  perfetto_writer(const trace_model& model, const paths& where, output& out)
      : model_{model},
        where_{where},
        out_{out} {}

  void write() {
    find_flows();
    packet([&](protozero::pbf_writer& p) {
      p.add_uint32(packet_sequence_flags, 1); // nothing of this sequence came before
      protozero::pbf_writer track{p, packet_track_descriptor};
      track.add_uint64(track_uuid, process_track);
      protozero::pbf_writer process{track, track_process};
      process.add_int32(process_pid, static_cast<std::int32_t>(model_.data().pid));
      process.add_string(process_name, valid_utf8(model_.data().program.empty() ? "muster" : model_.data().program));
    });
    for (const auto n : preorder(model_))
      node(n);
  }

private:
  struct mark {
    std::int64_t at;
    int type;
    std::string name;
    std::string category{};
    event_index event = none_found;      ///< of a point
    std::vector<std::uint64_t> flows{};
    std::vector<std::uint64_t> flows_end{};
  };

  template <class Fill>
  void packet(Fill fill) {
    buffer_.clear();
    {
      protozero::pbf_writer trace{buffer_};
      protozero::pbf_writer p{trace, in_trace_packet};
      p.add_uint32(packet_sequence, our_sequence);
      fill(p);
    }
    out_.write(buffer_);
  }

  [[nodiscard]] static std::uint64_t track_of(node_index n) noexcept { return process_track + 1 + n; }

  /// Which points are the cause of another, and who comes after whom.
  void find_flows() {
    for (event_index e = 0; e < model_.data().events.size(); ++e) {
      const auto& it = model_.event_at(e);
      if (it.kind == event_kind::dependency) {
        const auto behind = model_.find(it.subject);
        const auto before = model_.find(it.value);
        if (behind != none_found && before != none_found && model_.at(before).ended != unset &&
            model_.at(behind).started != unset) {
          // Events and dependencies share the numbers of flows: a dependency's is that of its event.
          ends_of_[before].push_back(it.sequence);
          starts_of_[behind].push_back(it.sequence);
        }
      }
      if (is_point(model_, e))
        if (const auto cause = point_before(model_, e); cause != none_found)
          causes_.push_back(cause);
    }
    std::ranges::sort(causes_);
  }

  void node(node_index n) {
    const auto& it = model_.at(n);
    packet([&](protozero::pbf_writer& p) {
      protozero::pbf_writer track{p, packet_track_descriptor};
      track.add_uint64(track_uuid, track_of(n));
      track.add_string(track_name, std::string{to_string(it.kind)} + " " + where_.component(n));
      track.add_uint64(track_parent, it.parent == none_found ? process_track : track_of(it.parent));
    });
    for (const auto& m : marks_of(n))
      emit(n, m);
  }

  [[nodiscard]] std::vector<mark> marks_of(node_index n) {
    std::vector<mark> marks;
    std::vector<std::int64_t> open;
    const auto close_until = [&](std::int64_t t) {
      for (; !open.empty() && open.back() <= t; open.pop_back())
        marks.push_back({.at = open.back(), .type = slice_end, .name = {}});
    };
    for (const auto& s : spans_of(model_, where_, n)) {
      close_until(s.from);
      mark begin{
          .at = s.from, .type = slice_begin, .name = s.name, .category = std::string{to_string(model_.at(n).kind)}};
      if (s.body)
        if (const auto found = starts_of_.find(n); found != starts_of_.end())
          begin.flows_end = found->second;
      marks.push_back(std::move(begin));
      open.push_back(s.to == unset ? INT64_MAX : s.to);
    }
    close_until(INT64_MAX - 1); // what is open at the end has no end here either
    if (const auto found = ends_of_.find(n); found != ends_of_.end())
      marks.push_back({.at = model_.at(n).ended, .type = instant, .name = "ended", .flows = found->second});
    for (const auto e : model_.events_of(n)) {
      if (!is_point(model_, e))
        continue;
      const auto& it = model_.event_at(e);
      mark point{.at = it.time_ns, .type = instant, .name = std::string{to_string(it.kind)}, .event = e};
      if (std::ranges::binary_search(causes_, e))
        point.flows.push_back(it.sequence);
      if (const auto cause = point_before(model_, e); cause != none_found)
        point.flows_end.push_back(model_.event_at(cause).sequence);
      marks.push_back(std::move(point));
    }
    std::ranges::stable_sort(marks, {}, &mark::at);
    return marks;
  }

  void emit(node_index n, const mark& m) {
    packet([&](protozero::pbf_writer& p) {
      p.add_uint64(packet_timestamp, static_cast<std::uint64_t>(std::max<std::int64_t>(0, m.at)));
      protozero::pbf_writer e{p, packet_track_event};
      if (m.event != none_found) {
        annotate(e, "what", sentence_of(model_, where_, m.event));
        annotate(e, "sequence", static_cast<std::int64_t>(model_.event_at(m.event).sequence));
      } else if (m.type == slice_begin && m.name == where_.component(n)) {
        annotate(e, "path", where_.text(n));
        annotate(e, "state", std::string{to_string(model_.at(n).last)});
        annotate(e, "id", static_cast<std::int64_t>(model_.at(n).id));
      }
      e.add_enum(event_type, m.type);
      e.add_uint64(event_track, track_of(n));
      if (!m.category.empty())
        e.add_string(event_category, m.category);
      if (!m.name.empty())
        e.add_string(event_name, m.name);
      for (const auto f : m.flows)
        e.add_fixed64(event_flow, f);
      for (const auto f : m.flows_end)
        e.add_fixed64(event_flow_end, f);
    });
  }

  static void annotate(protozero::pbf_writer& e, const char* name, const std::string& text) {
    protozero::pbf_writer a{e, event_annotation};
    a.add_string(annotation_name, name);
    a.add_string(annotation_text, text);
  }
  static void annotate(protozero::pbf_writer& e, const char* name, std::int64_t number) {
    protozero::pbf_writer a{e, event_annotation};
    a.add_string(annotation_name, name);
    a.add_int64(annotation_number, number);
  }

  const trace_model& model_;
  const paths& where_;
  output& out_;
  std::string buffer_;
  std::vector<event_index> causes_; ///< sorted: points that are the cause of another
  std::unordered_map<node_index, std::vector<std::uint64_t>> starts_of_;
  std::unordered_map<node_index, std::vector<std::uint64_t>> ends_of_;
};

} // namespace

void write_perfetto(const trace_model& model, const paths& where, output& out) {
  perfetto_writer{model, where, out}.write();
}

} // namespace muster::trace_viewer
