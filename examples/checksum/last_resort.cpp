/// The way out: see last_resort.hpp.
#include "last_resort.hpp"

#include <chrono>
#include <cstdlib>

namespace checksum {

namespace {
constexpr std::chrono::milliseconds patience{60};
}

last_resort::last_resort(std::stop_token asked, std::function<int()> last_words)
    : callback_{std::move(asked), [ended = ended_.get_future().share(), last_words = std::move(last_words)] {
                  if (ended.wait_for(patience) == std::future_status::timeout)
                    std::_Exit(last_words());
                }} {}

} // namespace checksum
