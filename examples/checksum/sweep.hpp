/// From folders to lines: how scopes, tasks and the order of the output go together.
///
///     tree                 the scope that main opened, with the time limit
///     └─ src               a scope for each folder, inside that of the folder which it is in
///        ├─ a.c            a task for each batch of files in it, named after the first
///        ├─ film.mkv       a task for a large file, started by that of the batch which it was in
///        └─ lib …
///
/// Everything starts in one place and ends in one place. Main walks in the order of the output and puts what it starts
/// into a line: the task of a batch; a folder whose walk is complete. At the line's front it prints a task's answers,
/// and closes a folder's scope: everything below that folder stood before it in the line, so nobody there can start
/// anything more. Closed scopes end by themselves; main joins them a little later and need not wait for that. No body
/// waits for another one, so neither the depth nor the width of a tree costs a thread: there are `--jobs` workers and
/// not one more. The line is bounded, hence the memory: if its front is slow (a huge file) the walk rests when the line
/// is full, while the workers do what is in it.
///
/// What cannot be read is an answer, not a failure: a task fails only if checksum itself is at its wits' end (out of
/// memory), and then everything stops. When `crew` is asked to stop, what has been printed is what was complete in
/// order up to there: the beginning of the output, in whole lines.
///
/// Owner and thread: main. Invariant: the paths that are printed rise bytewise.
#pragma once

#include "batch.hpp"
#include "forest.hpp"
#include "output.hpp"
#include "screen.hpp"
#include "tally.hpp"

#include <muster/manager.hpp>

#include <deque>
#include <memory>
#include <variant>
#include <vector>

namespace checksum {

class sweep {
public:
  /// All scopes and tasks will be below `crew`, which is below `site`.
  sweep(muster::manager& site, muster::scope& crew, const std::vector<std::string>& starts, output& out, screen& shown,
        tally& counts);
  sweep(const sweep&) = delete;
  sweep& operator=(const sweep&) = delete;

  /// Hashes and prints everything; true if all of it could be read. Fails if the output cannot be written, if `crew` is
  /// asked to stop, or if a task failed.
  [[nodiscard]] muster::result<bool> run();

private:
  /// A folder that was entered.
  struct folder {
    folder(muster::scope& above, const step& entered)
        : crew{above.create_scope(std::string{entered.name})},
          path{std::make_shared<const std::string>(entered.folder)} {}
    muster::scope crew;
    std::shared_ptr<const std::string> path;
  };

  /// What stands in the line: a batch, of whose answers some may be printed already, or a folder after all that is
  /// below.
  struct started {
    std::shared_ptr<const batch> files;
    muster::task<answers> task;
    std::size_t printed = 0;
  };
  using complete = std::unique_ptr<folder>;
  using place = std::variant<started, complete>;

  void walk_on();
  void take(std::size_t start, const step& file);
  void send_batch();
  void join_the_line(place one);
  [[nodiscard]] static std::size_t cost_of(const place& one);

  [[nodiscard]] bool front_is_ready() const;
  [[nodiscard]] muster::result<void> serve_front();
  [[nodiscard]] muster::result<void> print_ready(started& front);
  [[nodiscard]] muster::result<void> join_closed(std::size_t leave);
  [[nodiscard]] muster::result<void> wait_for_front();

  void print(const started& front, const digest& sum);
  void print(const started& front, const std::error_code& problem);

  muster::manager& site_;
  muster::scope& crew_;
  forest trees_;
  output& out_;
  screen& shown_;
  tally& counts_;

  std::vector<std::vector<complete>> entered_; ///< for each start, the folders that its walk is in
  std::shared_ptr<batch> batch_;               ///< files for the next task
  std::deque<place> line_;
  std::size_t cost_ = 0;        ///< of all that is in the line
  std::deque<complete> closed_; ///< folders behind the front, children before parents
  bool walked_ = false;
  bool all_read_ = true;
};

} // namespace checksum
