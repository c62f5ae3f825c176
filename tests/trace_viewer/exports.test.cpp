// What is exported, read again with the readers of others.
#include "trace_builder.hpp"

#include <protozero/pbf_reader.hpp>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <sstream>

using namespace trace_tests;
using namespace muster::trace_viewer;
using parsed = nlohmann::json;

namespace {

std::string exported(const trace_model& model, std::string_view to) {
  output out;
  REQUIRE(run_export(model, {}, to, out) == 0);
  return out.text();
}

/// One packet's event.
struct mark {
  std::uint64_t at = 0;
  int type = 0;
  std::uint64_t track = 0;
  std::string name;
  std::vector<std::uint64_t> flows;
  std::vector<std::uint64_t> flows_end;
};
struct perfetto {
  std::map<std::uint64_t, std::pair<std::uint64_t, std::string>> tracks; ///< parent and name
  std::vector<mark> marks;
};

perfetto decoded(const std::string& bytes) {
  perfetto all;
  protozero::pbf_reader trace{bytes};
  while (trace.next()) {
    REQUIRE(trace.tag() == 1);
    auto packet = trace.get_message();
    mark m;
    bool is_mark = false;
    while (packet.next()) {
      switch (packet.tag()) {
        case 8:
          m.at = packet.get_uint64();
          break;
        case 60: {
          auto track = packet.get_message();
          std::uint64_t uuid = 0;
          std::pair<std::uint64_t, std::string> it;
          while (track.next())
            if (track.tag() == 1)
              uuid = track.get_uint64();
            else if (track.tag() == 2)
              it.second = track.get_string();
            else if (track.tag() == 5)
              it.first = track.get_uint64();
            else
              track.skip();
          REQUIRE(uuid != 0);
          REQUIRE(all.tracks.emplace(uuid, it).second);
          break;
        }
        case 11: {
          is_mark = true;
          auto e = packet.get_message();
          while (e.next())
            if (e.tag() == 9)
              m.type = e.get_enum();
            else if (e.tag() == 11)
              m.track = e.get_uint64();
            else if (e.tag() == 23)
              m.name = e.get_string();
            else if (e.tag() == 47)
              m.flows.push_back(e.get_fixed64());
            else if (e.tag() == 48)
              m.flows_end.push_back(e.get_fixed64());
            else
              e.skip();
          break;
        }
        default:
          packet.skip();
      }
    }
    if (is_mark)
      all.marks.push_back(std::move(m));
  }
  return all;
}

/// Whatever the trace: tracks hang below tracks, times do not go back on one, and every end has its beginning.
std::size_t open_at_the_end(const perfetto& p) {
  for (const auto& [uuid, it] : p.tracks)
    if (uuid != 1)
      REQUIRE(p.tracks.contains(it.first));
  std::map<std::uint64_t, std::pair<std::uint64_t, std::size_t>> state; // track: last time, open slices
  std::set<std::uint64_t> begun;
  for (const auto& m : p.marks)
    begun.insert(m.flows.begin(), m.flows.end());
  for (const auto& m : p.marks) {
    REQUIRE(p.tracks.contains(m.track));
    auto& [last, open] = state[m.track];
    REQUIRE(m.at >= last);
    last = m.at;
    if (m.type == 1)
      ++open;
    if (m.type == 2) {
      REQUIRE(open > 0);
      --open;
    }
    for (const auto f : m.flows_end)
      REQUIRE(begun.contains(f));
  }
  std::size_t open = 0;
  for (const auto& [track, it] : state)
    open += it.second;
  return open;
}

std::vector<parsed> spans_in(const std::string& lines) {
  std::vector<parsed> all;
  std::istringstream in{lines};
  for (std::string one; std::getline(in, one);) {
    const auto request = parsed::parse(one);
    for (const auto& resource : request.at("resourceSpans")) {
      REQUIRE(resource.at("resource").at("attributes").is_array());
      for (const auto& scope : resource.at("scopeSpans"))
        for (const auto& s : scope.at("spans"))
          all.push_back(s);
    }
  }
  return all;
}

bool is_hex(const std::string& s, std::size_t digits) {
  return s.size() == digits && s.find_first_not_of("0123456789abcdef") == std::string::npos &&
         s.find_first_not_of('0') != std::string::npos;
}

void check_otlp(const std::vector<parsed>& spans) {
  std::set<std::string> ids;
  for (const auto& s : spans)
    REQUIRE(ids.insert(s.at("spanId").get<std::string>()).second);
  for (const auto& s : spans) {
    REQUIRE(is_hex(s.at("traceId"), 32));
    REQUIRE(is_hex(s.at("spanId"), 16));
    REQUIRE(s.at("name").is_string());
    REQUIRE(s.at("kind") == 1);
    const auto from = std::stoull(s.at("startTimeUnixNano").get<std::string>());
    REQUIRE(std::stoull(s.at("endTimeUnixNano").get<std::string>()) >= from);
    if (s.contains("parentSpanId"))
      REQUIRE(is_hex(s["parentSpanId"], 16));
    for (const auto& a : s.at("attributes"))
      REQUIRE((a.at("key").is_string() && a.at("value").size() == 1));
    for (const auto& l : s.value("links", parsed::array()))
      REQUIRE(is_hex(l.at("spanId"), 16));
  }
}

/// One object a line between two lines of brackets.
std::vector<parsed> chrome_events(const std::string& text) {
  const auto all = parsed::parse(text);
  REQUIRE(all.is_array());
  REQUIRE(static_cast<std::size_t>(std::ranges::count(text, '\n')) == all.size() + 2);
  std::map<std::string, int> open;
  for (const auto& e : all) {
    REQUIRE(e.at("ph").is_string());
    REQUIRE(e.at("pid").is_number());
    if (e["ph"] == "b" || e["ph"] == "e") {
      auto& n = open[e.at("cat").get<std::string>() + e.at("id").get<std::string>() + e.at("name").get<std::string>()];
      n += e["ph"] == "b" ? 1 : -1;
      REQUIRE(n >= 0);
    }
    if (e["ph"] == "X")
      REQUIRE(e.at("dur").get<double>() >= 0);
  }
  return all.get<std::vector<parsed>>();
}

/// What dot thinks of it; true also where there is no dot.
bool dot_reads([[maybe_unused]] const std::string& graph) {
#ifdef MUSTER_DOT
  std::FILE* dot = ::popen(MUSTER_DOT " -Tsvg >/dev/null 2>&1", "w");
  REQUIRE(dot != nullptr);
  std::fwrite(graph.data(), 1, graph.size(), dot);
  return ::pclose(dot) == 0;
#else
  return true;
#endif
}

trace_builder hostile() {
  trace_builder t;
  t.manager(0, 1, "site\"\\\n\x1b[2J");
  t.scope(0, 2, 1, "</script><!--");
  t.running(0, 3, 2, "\xff\xfe'\"&<>{}|\\l\\N");
  const auto declined = t.add(ms, event_kind::failure, 3, 8, 5, "\"quoted\"\r\n\t\x01\xc3");
  t.end(ms, 3, muster::outcome_kind::failed, declined, "\"quoted\"\r\n\t\x01\xc3");
  t.add(2 * ms, event_kind::scope_ended, 2, declined, 1, std::string("nul\0here", 8));
  return t;
}

} // namespace

TEST_CASE("perfetto: tracks are nested as the tree is, causes and dependencies are flows") {
  auto t = failed_checkout();
  const auto p = decoded(exported(t.model(), "perfetto"));
  CHECK(open_at_the_end(p) == 0);
  std::map<std::string, std::uint64_t> by_name;
  for (const auto& [uuid, it] : p.tracks)
    by_name[it.second] = uuid;
  REQUIRE(by_name.contains("task charge"));
  CHECK(p.tracks.at(by_name["task charge"]).first == by_name["scope checkout"]);
  CHECK(p.tracks.at(by_name["scope checkout"]).first == by_name["manager site"]);
  CHECK(p.tracks.at(by_name["manager site"]).first == 1);
  const auto found = [&](const char* track, const char* name) {
    return std::ranges::find_if(p.marks, [&](const mark& m) { return m.track == by_name[track] && m.name == name; });
  };
  const auto failed = found("task charge", "failure");
  const auto cancelled = found("scope checkout", "cancel_asked");
  const auto asked = found("task stock", "cancel_asked");
  REQUIRE((failed != p.marks.end() && cancelled != p.marks.end() && asked != p.marks.end()));
  CHECK(failed->flows == cancelled->flows_end);
  CHECK(cancelled->flows == asked->flows_end);
  CHECK(found("task stock", "runs")->at == 0);
}

TEST_CASE("chrome: a bare array with an event a line") {
  const auto events = chrome_events(exported(failed_checkout().model(), "chrome"));
  const auto body =
      std::ranges::find_if(events, [](const parsed& e) { return e["ph"] == "X" && e["name"] == "charge"; });
  REQUIRE(body != events.end());
  CHECK((*body)["tid"] == 7);
  CHECK((*body)["ts"] == 0.0);
  CHECK((*body)["dur"] == 1'000'000.0);
  CHECK((*body)["args"]["path"] == "site/checkout/charge");
  CHECK(std::ranges::count(events, "s", [](const parsed& e) { return e["ph"]; }) ==
        std::ranges::count(events, "f", [](const parsed& e) { return e["ph"]; }));
}

TEST_CASE("otlp: spans with parents, times as strings, and a status") {
  const auto spans = spans_in(exported(failed_checkout().model(), "otlp"));
  check_otlp(spans);
  REQUIRE(spans.size() == 5);
  CHECK(spans[2]["name"] == "charge");
  CHECK(spans[2]["spanId"] == "0000000000000003");
  CHECK(spans[2]["parentSpanId"] == "0000000000000002");
  CHECK(spans[2]["startTimeUnixNano"] == "1700000000000000000");
  CHECK(spans[2]["endTimeUnixNano"] == "1700000001000000000");
  CHECK(spans[2]["status"] == parsed{{"code", 2}, {"message", "card declined"}});
  CHECK(spans[0]["status"] == parsed{{"code", 1}});
  CHECK_FALSE(spans[0].contains("parentSpanId"));
  CHECK(spans[4]["links"][0]["spanId"] == "0000000000000003"); // worker comes after charge
}

TEST_CASE("dot: the tree with dependencies, as Graphviz reads it") {
  const auto graph = exported(failed_checkout().model(), "dot");
  CHECK(contains(graph, "label=\"charge: failed\""));
  CHECK(contains(graph, "[style=dashed, label=after]"));
  CHECK(dot_reads(graph));
#ifdef MUSTER_DOT
  CHECK_FALSE(dot_reads(graph + "}")); // it can fail
#endif
}

TEST_CASE("hostile names break no export and reach no terminal") {
  const auto model = hostile().model();
  for (const auto run : {run_tree, run_summary, run_blame, run_waits, run_timeline, run_critical}) {
    const auto text = said_by(run, model);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\r') == std::string::npos);
    CHECK(text.find('\xff') == std::string::npos);
    CHECK(text.find('\x01') == std::string::npos);
    CHECK_NOTHROW(parsed::parse(said_by(run, model, {.json = true})));
  }
  CHECK(open_at_the_end(decoded(exported(model, "perfetto"))) > 0);
  chrome_events(exported(model, "chrome"));
  check_otlp(spans_in(exported(model, "otlp")));
  CHECK(dot_reads(exported(model, "dot")));
  // What is printed can be given back.
  const auto path = parsed::parse(said_by(run_tree, model, {.json = true}))["nodes"][2]["path"].get<std::string>();
  CHECK(contains(said_by(run_blame, model, {.path = path}), "failed"));
}

TEST_CASE("every command and export stands a trace that is empty, begins in the middle, or was cut anywhere") {
  std::vector<trace_data> traces(1);
  trace_builder snapshot;
  snapshot.data().alive = {{1, 0, 0, snapshot.text("site"), node_kind::manager, 0, 0},
                           {2, 1, ms, snapshot.text("crew"), node_kind::scope, 0, 0},
                           {3, 2, 2 * ms, snapshot.text("mason"), node_kind::task, 3, 0},
                           {4, 2, 2 * ms, snapshot.text("sensor"), node_kind::actor, 0, 9}};
  snapshot.data().folded = {{2, 0, 5'000}, {2, 3, 12}};
  snapshot.data().snapshot_ns = 10 * ms;
  snapshot.data().snapshot_sequence = 100;
  snapshot.data().events_dropped = 100;
  traces.push_back(snapshot.data());
  const auto whole = failed_checkout();
  for (std::size_t from = 0; from <= trace_builder{whole}.data().events.size(); ++from) {
    auto tail = trace_builder{whole}.data();
    tail.events.erase(tail.events.begin(), tail.events.begin() + static_cast<std::ptrdiff_t>(from));
    tail.events_dropped = from;
    traces.push_back(std::move(tail));
    auto head = trace_builder{whole}.data();
    head.events.resize(from);
    head.ended_cleanly = false;
    traces.push_back(std::move(head));
  }
  for (const auto& data : traces) {
    const trace_model model{data};
    for (const bool as_json : {false, true}) {
      const request what{.json = as_json};
      std::vector<std::string> said;
      for (const auto run :
           {run_tree, run_summary, run_blame, run_waits, run_timeline, run_critical, run_lint, run_check, run_stuck})
        said.push_back(said_by(run, model, what));
      output top;
      REQUIRE(run_top(model, what, 24, top));
      said.push_back(top.text());
      output difference;
      REQUIRE(run_diff(model, whole.model(), what, difference));
      said.push_back(difference.text());
      for (const auto& text : said) {
        REQUIRE_FALSE(text.empty());
        if (as_json)
          REQUIRE_NOTHROW(parsed::parse(text));
      }
    }
    open_at_the_end(decoded(exported(model, "perfetto")));
    chrome_events(exported(model, "chrome"));
    check_otlp(spans_in(exported(model, "otlp")));
    REQUIRE(exported(model, "dot").starts_with("digraph"));
  }
  CHECK(said_by(run_tree, trace_model{traces[0]}) == "the trace is empty\n");
  CHECK(said_by(run_tree, trace_model{traces[1]}) ==
        "manager site  open  10.0 ms\n"
        "└─ scope crew  open  9.00 ms\n"
        "   ├─ task mason  running  8.00 ms\n"
        "   ├─ actor sensor  running  8.00 ms  restarted 9 times\n"
        "   └─ task task ×5,012  5,000 waiting, 12 running  when this trace begins\n"
        "not in this trace: 100 older events\n");
}

TEST_CASE("a damaged trace leads in no circle") {
  trace_builder t;
  t.scope(0, 1, 2, "a"); // below each other
  t.scope(0, 2, 1, "b");
  t.scope(0, 3, 3, "self");
  t.add(1, event_kind::cancel_asked, 1, 5, 0); // causes that come later, or are themselves
  t.add(1, event_kind::failure, 1, 5, 0);
  t.add(1, event_kind::scope_ended, 1, 6, 1);
  t.add(1, event_kind::dependency, 4, 0, 4);
  t.add(0, event_kind::task_ended, 4, 0, 99);
  t.add(INT64_MAX, event_kind::wait_began, 4, 0, 4);
  t.add(INT64_MIN + 1, event_kind::task_started, 5, 0, INT64_MIN);
  const auto model = t.model();
  for (const auto run :
       {run_tree, run_summary, run_blame, run_waits, run_timeline, run_critical, run_lint, run_check, run_stuck})
    CHECK_FALSE(said_by(run, model).empty());
  open_at_the_end(decoded(exported(model, "perfetto")));
  chrome_events(exported(model, "chrome"));
  static_cast<void>(exported(model, "otlp"));
}
