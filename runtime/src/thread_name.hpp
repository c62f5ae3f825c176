/// Names for threads, as `top -H`, gdb and the trace show them. Stateless; each thread names itself.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <string_view>

#include <pthread.h>

namespace muster::runtime {

/// Names the calling thread `prefix` followed by `number`. The kernel keeps 15 characters: the prefix is shortened, not
/// the number. Never fails: a name is only a comfort.
inline void name_this_thread(std::string_view prefix, unsigned number) noexcept {
  constexpr std::size_t kept = 15;
  std::array<char, 10> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto count = static_cast<std::size_t>(end - digits.data());
  std::array<char, kept + 1> name{};
  const auto shown = std::min(prefix.size(), kept - count);
  std::copy_n(prefix.data(), shown, name.data());
  std::copy_n(digits.data(), count, name.data() + shown);
  ::pthread_setname_np(::pthread_self(), name.data());
}

} // namespace muster::runtime
