/// See proc_sources.hpp.
#include "proc_sources.hpp"

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>

namespace telemetry {

namespace {

using extract = std::optional<double> (*)(std::istream& text);

std::optional<double> number(std::istream& text) {
  double value = 0;
  return text >> value ? std::optional{value} : std::nullopt;
}

/// The number after a word.
std::optional<double> number_after(std::istream& text, std::string_view word) {
  for (std::string each; text >> each;)
    if (each == word)
      return number(text);
  return std::nullopt;
}

/// "cpu user nice system idle iowait irq softirq steal …": all but idle and iowait.
std::optional<double> jiffies_worked(std::istream& text) {
  std::string cpu;
  double user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;
  if (!(text >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal))
    return std::nullopt;
  return user + nice + system + irq + softirq + steal;
}

/// Fields 14 and 15. The second, the program's name, may hold blanks and brackets: it is skipped up to the last
/// bracket.
std::optional<double> jiffies_of_process(std::istream& text) {
  std::string line;
  std::getline(text, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos)
    return std::nullopt;
  std::istringstream rest{line.substr(name_end + 1)};
  std::string skipped;
  for (int field = 3; field < 14; ++field)
    rest >> skipped;
  const auto user = number(rest);
  const auto system = number(rest);
  return user && system ? std::optional{*user + *system} : std::nullopt;
}

/// "  eth0: bytes packets …" behind two lines of headings; the sum over all interfaces.
std::optional<double> bytes_received(std::istream& text) {
  std::string line;
  std::getline(text, line);
  std::getline(text, line);
  double all = 0;
  while (std::getline(text, line)) {
    const auto colon = line.find(':');
    if (colon == std::string::npos)
      return std::nullopt;
    std::istringstream rest{line.substr(colon + 1)};
    const auto bytes = number(rest);
    if (!bytes)
      return std::nullopt;
    all += *bytes;
  }
  return all;
}

source from_file(std::string name, std::string file, extract how) {
  return {
      std::move(name), [file = std::move(file), how]() -> muster::result<double> {
        errno = 0;
        std::ifstream text{file};
        if (!text)
          return std::unexpected{
              muster::error{std::error_code{errno != 0 ? errno : EIO, std::generic_category()}, "cannot read " + file}};
        if (const auto value = how(text))
          return *value;
        return std::unexpected{muster::error{muster::errc::bad_argument, "there is no number to be found in " + file}};
      }};
}

} // namespace

std::vector<source> proc_sources() {
  std::vector<source> all;
  all.push_back(from_file("load", "/proc/loadavg", number));
  all.push_back(
      from_file("memory", "/proc/meminfo", [](std::istream& text) { return number_after(text, "MemAvailable:"); }));
  all.push_back(from_file("cpu", "/proc/stat", jiffies_worked));
  all.push_back(from_file("self", "/proc/self/stat", jiffies_of_process));
  if (std::error_code ignored; std::filesystem::exists("/proc/net/dev", ignored))
    all.push_back(from_file("network", "/proc/net/dev", bytes_received));
  return all;
}

source file_source(const std::string& file) { return from_file(file, file, number); }

muster::result<void> probe(const std::vector<source>& sources) {
  for (const auto& each : sources)
    if (auto value = each.read(); !value)
      return std::unexpected{value.error()};
  return {};
}

} // namespace telemetry
