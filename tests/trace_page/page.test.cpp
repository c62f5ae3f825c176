// What is in a page's file: everything of the trace, packed so that no text of it can be anything but data.
#include "scenes.hpp"
#include "page_writer.hpp"

#include "../catch.hpp"

#include <array>
#include <sstream>
#include <string>

#include <zlib.h>
#include <nlohmann/json.hpp>

using muster::trace_viewer::trace_data;
using muster::trace_viewer::write_page;

namespace {

std::string page_of(const trace_data& trace) {
  std::ostringstream out;
  write_page(trace, out);
  return out.str();
}

std::string packed_part(const std::string& page) {
  const std::string before = "id=\"data\">";
  const auto from = page.find(before) + before.size();
  return page.substr(from, page.find('<', from) - from);
}

std::string from_base64(const std::string& text) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string bytes;
  std::uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '=')
      break;
    const auto digit = digits.find(c);
    REQUIRE(digit != std::string::npos);
    held = held << 6U | static_cast<std::uint32_t>(digit);
    if ((bits += 6) >= 8) {
      bits -= 8;
      bytes += static_cast<char>(held >> bits & 0xFFU);
    }
  }
  return bytes;
}

std::string inflated(const std::string& packed) {
  z_stream zlib{};
  REQUIRE(inflateInit(&zlib) == Z_OK);
  std::string input = packed;
  zlib.next_in = reinterpret_cast<Bytef*>(input.data());
  zlib.avail_in = static_cast<uInt>(input.size());
  std::string plain;
  std::array<char, 1U << 16U> block{};
  int state = Z_OK;
  while (state == Z_OK) {
    zlib.next_out = reinterpret_cast<Bytef*>(block.data());
    zlib.avail_out = block.size();
    state = inflate(&zlib, Z_NO_FLUSH);
    plain.append(block.data(), block.size() - zlib.avail_out);
  }
  inflateEnd(&zlib);
  REQUIRE(state == Z_STREAM_END);
  return plain;
}

/// The packed part of a page, read back.
class unpacked {
public:
  explicit unpacked(const std::string& page) : bytes_{inflated(from_base64(packed_part(page)))} {
    std::size_t length = 0;
    for (std::size_t i = 4; i-- > 0;)
      length = length << 8U | static_cast<unsigned char>(bytes_.at(i));
    json_ = bytes_.substr(4, length);
    header = nlohmann::json::parse(json_);
    at_ = 4 + length;
  }
  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_.at(at_++));
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if (byte < 0x80)
        return value;
    }
  }
  std::int64_t signed_number() {
    const auto raw = number();
    return static_cast<std::int64_t>(raw >> 1U) ^ -static_cast<std::int64_t>(raw & 1U);
  }
  [[nodiscard]] bool at_end() const { return at_ == bytes_.size(); }
  [[nodiscard]] const std::string& json() const { return json_; }

  nlohmann::json header;

private:
  std::string bytes_;
  std::string json_;
  std::size_t at_ = 0;
};

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

} // namespace

TEST_CASE("a page holds every event of the trace, field by field") {
  const auto trace = page_scenes::shop();
  REQUIRE(trace.events.size() > 500);
  unpacked page{page_of(trace)};
  CHECK(page.header["events"] == trace.events.size());
  CHECK(page.header["program"] == "shop");
  CHECK(page.header["pid"] == 4711);
  CHECK(page.header["texts"].get<std::vector<std::string>>() == trace.texts);

  std::uint64_t sequence = 0;
  for (const auto& e : trace.events)
    REQUIRE((sequence += page.number()) == e.sequence);
  std::int64_t time = trace.events.front().time_ns;
  for (const auto& e : trace.events)
    REQUIRE((time += page.signed_number()) == e.time_ns);
  std::vector<std::int64_t> subjects;
  std::int64_t subject = 0;
  for (std::size_t i = 0; i < trace.events.size(); ++i)
    subjects.push_back(subject += page.signed_number());
  for (std::size_t i = 0; i < trace.events.size(); ++i) {
    const auto back = page.number();
    if (trace.events[i].cause == 0)
      REQUIRE(back == 0);
    else
      REQUIRE(trace.events[i + 1 - back].sequence == trace.events[i].cause);
  }
  std::vector<std::int64_t> values;
  for (std::size_t i = 0; i < trace.events.size(); ++i)
    values.push_back(page.signed_number());
  for (const auto& e : trace.events)
    REQUIRE(page.number() == e.text);
  for (const auto& e : trace.events)
    REQUIRE(page.number() == static_cast<std::uint64_t>(e.kind));
  for (const auto& e : trace.events)
    REQUIRE(page.number() == e.thread);
  std::vector<std::uint64_t> ids{0};
  for (std::size_t i = 0; i < page.header["nodes"].get<std::size_t>(); ++i)
    ids.push_back(ids.back() + page.number());
  CHECK(page.at_end());

  for (std::size_t i = 0; i < trace.events.size(); ++i) {
    REQUIRE(ids.at(static_cast<std::size_t>(subjects[i])) == trace.events[i].subject);
    if (trace.events[i].kind == muster::event_kind::task_created)
      REQUIRE(ids.at(static_cast<std::size_t>(values[i])) == static_cast<std::uint64_t>(trace.events[i].value));
    if (trace.events[i].kind == muster::event_kind::task_ended)
      REQUIRE(values[i] == trace.events[i].value);
  }
}

TEST_CASE("a page names every kind of event as the library does") {
  const unpacked page{page_of(page_scenes::empty())};
  const auto& kinds = page.header["kinds"];
  CHECK(kinds["48"] == "task_created");
  CHECK(kinds.size() > 60);
  for (const auto& [number, name] : kinds.items())
    CHECK(name == to_string(static_cast<muster::event_kind>(std::stoi(number))));
}

TEST_CASE("no text of a trace stands in its page as text, and what is packed is ASCII") {
  const auto trace = page_scenes::hostile();
  const auto page = page_of(trace);
  const auto plain = page_of(page_scenes::empty());
  // But for the packed part, the page of every trace is the same to the byte.
  const auto without = [](std::string whole) {
    const auto part = packed_part(whole);
    return whole.replace(whole.find(part), part.size(), "");
  };
  CHECK(without(page) == without(plain));
  CHECK_FALSE(contains(page, "window.broken"));
  const unpacked inside{page};
  CHECK(contains(inside.json(), "window.broken"));
  for (const char c : inside.json())
    REQUIRE((c >= ' ' && c <= '~'));
}

TEST_CASE("bytes that are no UTF-8 become U+FFFD and the rest of the text stays") {
  trace_data trace = page_scenes::empty();
  trace.texts.emplace_back("ok \xC3\xA9 bad \xFF end");
  CHECK(unpacked{page_of(trace)}.header["texts"][1] == "ok é bad \uFFFD end");
}

TEST_CASE("a page asks for nothing from anywhere") {
  const auto page = page_of(page_scenes::shop());
  for (const char* way :
       {"http:", "https:", "src=\"", "@import", "url(", "fetch(", "XMLHttpRequest", "WebSocket", "import("})
    CHECK_FALSE(contains(page, way));
  CHECK(contains(page, "default-src 'none'"));
}

TEST_CASE("a cause that was overwritten is told from one that never was") {
  const auto trace = page_scenes::middle();
  unpacked page{page_of(trace)};
  const auto events = trace.events.size();
  for (std::size_t i = 0; i < events; ++i)
    page.number();
  for (std::size_t i = 0; i < 2 * events; ++i)
    page.signed_number();
  CHECK(page.number() == 1); // lost
  CHECK(page.number() == 1);
  CHECK(page.number() == 0); // none
}

TEST_CASE("progress keeps within the numbers that a browser holds exactly") {
  trace_data trace = page_scenes::empty();
  const auto value = muster::progress_value(3'000'000'000, 2'000'000'000);
  trace.events.push_back(
      {.sequence = 1, .time_ns = 1, .subject = 5, .value = value, .kind = muster::event_kind::progress});
  unpacked page{page_of(trace)};
  page.number();
  page.signed_number();
  page.signed_number();
  page.number();
  const auto shown = page.signed_number();
  CHECK(shown < std::int64_t{1} << 53);
  const double done = static_cast<double>(shown & 0x3FF'FFFF);
  const double total = static_cast<double>(shown >> 26);
  CHECK(done / total == Approx(1.5).epsilon(1e-6));
}

TEST_CASE("every event of a million is in the page, and the page is small") {
  const auto page = page_of(page_scenes::crowd(250'000));
  CHECK(unpacked{page}.header["events"] == 1'000'021);
  CHECK(page.size() < 8'000'000);
}

TEST_CASE("a page that cannot be written says so through its stream") {
  std::ostringstream out;
  out.setstate(std::ios::badbit);
  write_page(page_scenes::circle(), out);
  CHECK(out.bad());
}
