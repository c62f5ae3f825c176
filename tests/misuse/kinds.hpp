/// The kinds of misuse that the program knows, by name; each ends it with an assertion.
#pragma once

#include <functional>
#include <map>
#include <string>

using misuse_kinds = std::map<std::string, std::function<void()>>;

/// Of coroutine bodies.
[[nodiscard]] misuse_kinds coroutine_kinds();
/// Of operations of Asio. None, where that is missing.
[[nodiscard]] misuse_kinds asio_kinds();
