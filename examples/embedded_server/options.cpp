/// See options.hpp.
#include "options.hpp"

#include <charconv>
#include <string_view>

namespace embedded {

std::expected<options, std::string> read_options(int argc, char** argv) {
  options wanted;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view name{argv[i]};
    if (i + 1 == argc)
      return std::unexpected{std::string{name} + " needs a number"};
    const std::string_view text{argv[i + 1]};
    unsigned number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem != std::errc{} || end != text.data() + text.size())
      return std::unexpected{std::string{text} + " is not a number"};
    if (name == "--port" && number <= 65535)
      wanted.port = static_cast<std::uint16_t>(number);
    else if (name == "--threads" && number >= 1 && number <= 64)
      wanted.threads = number;
    else if (name == "--limit")
      wanted.limit = std::chrono::milliseconds{number};
    else if (name == "--drain")
      wanted.drain = std::chrono::milliseconds{number};
    else
      return std::unexpected{std::string{name} + ' ' + std::string{text} +
                             " is no option; there are --port, --threads, --limit (ms) and --drain (ms)"};
  }
  return wanted;
}

} // namespace embedded
