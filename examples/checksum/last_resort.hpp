/// The way out when a request to stop is not answered in time: a read from a dead disk, a pipe that nobody empties.
///
/// Muster joins every body and never kills a thread, so a body that hangs in the system would hold up the end of the
/// program. A tool that a person has interrupted must not wait for it. Owner: main. Threads: the last words are said on
/// Muster's callback lane, which no task body can occupy. Invariant: once the destructor has begun, nothing happens.
#pragma once

#include <functional>
#include <future>
#include <stop_token>

namespace checksum {

class last_resort {
public:
  /// If `asked` is asked to stop and this object still lives 60 ms later: calls `last_words` and ends the process with
  /// the status that it returns, at once and without destructors.
  last_resort(std::stop_token asked, std::function<int()> last_words);
  /// Everything has ended by itself.
  ~last_resort() { ended_.set_value(); }

private:
  std::promise<void> ended_;
  std::stop_callback<std::function<void()>> callback_;
};

} // namespace checksum
