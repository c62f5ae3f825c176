/// Addresses: see url.hpp.
#include "url.hpp"

#include <algorithm>
#include <charconv>

namespace fetch {

namespace {

std::unexpected<muster::error> wrong(const char* what) {
  return std::unexpected{muster::error{std::errc::invalid_argument, what}};
}

bool is_port(std::string_view text) {
  unsigned number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, problem] = std::from_chars(text.data(), end, number);
  return problem == std::errc{} && rest == end && number >= 1 && number <= 65535;
}

} // namespace

muster::result<url> read_url(std::string_view text) {
  constexpr std::string_view scheme = "http://";
  if (!std::ranges::all_of(text, [](unsigned char c) { return c > 0x20 && c < 0x7F; }))
    return wrong("it has a character that no URL has (a blank, or one that is not ASCII): write it as %XX");
  if (!text.starts_with(scheme))
    return wrong(text.starts_with("https://") ? "https is not spoken here, only http"
                                              : "it does not begin with http://");
  text.remove_prefix(scheme.size());
  text = text.substr(0, text.find('#'));

  const auto path = std::min(text.find_first_of("/?"), text.size());
  auto authority = text.substr(0, path);
  url read{.host = {}, .port = "80", .target = std::string{text.substr(path)}};
  if (!read.target.starts_with('/'))
    read.target.insert(0, "/");
  if (authority.contains('@'))
    return wrong("it names a user, which is not supported");

  auto host_end = authority.rfind(':');
  if (authority.starts_with('[')) {
    const auto bracket = authority.find(']');
    if (bracket == std::string_view::npos)
      return wrong("the bracket of its address does not close");
    host_end = bracket + 1 == authority.size() ? std::string_view::npos : bracket + 1;
    if (host_end != std::string_view::npos && authority[host_end] != ':')
      return wrong("something stands between its address and its port");
    read.host = authority.substr(1, bracket - 1);
  } else {
    read.host = authority.substr(0, host_end);
  }
  if (host_end != std::string_view::npos) {
    read.port = authority.substr(host_end + 1);
    if (!is_port(read.port))
      return wrong("its port is no number from 1 to 65535");
  }
  if (read.host.empty())
    return wrong("it names no host");
  return read;
}

} // namespace fetch
