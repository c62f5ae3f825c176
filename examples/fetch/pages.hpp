/// What the local server answers: one page for each path.
///
/// Owner: the server. Threads: any; every page is made by the coroutine of its connection. Invariant: `busy` counts the
/// requests that are being answered at this moment, `most` the highest count so far.
#pragma once

#include <muster/channel.hpp>
#include <muster/muster.hpp>

#include <atomic>
#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>

namespace fetch {

class pages {
public:
  /// Awaiting it gives the bytes of the answer, head and all; or why the task is to stop.
  [[nodiscard]] muster::coro<muster::result<std::string>> answer(muster::async_context& ctx, std::string path);

private:
  using opening = muster::channel<std::monostate>; ///< closed when it opens

  /// Those who are to be answered together. The last one that was missing opens for all, and the next ones begin anew.
  [[nodiscard]] opening joined(std::size_t wanted);

  std::mutex mutex_;
  std::size_t here_ = 0;
  opening together_{0, "all who are to be answered together"};
  std::atomic<int> busy_{0};
  std::atomic<int> most_{0};
};

} // namespace fetch
