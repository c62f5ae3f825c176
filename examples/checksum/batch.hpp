/// The task bodies: a batch of files of one folder, and one large file.
///
/// Threads: the bodies run on Muster's workers; a batch is constant once its task is started. Invariants: a body opens
/// one file at a time; answers are in the order of the batch's names; a file that cannot be read is an answer and not a
/// failure.
#pragma once

#include "digest.hpp"
#include "tally.hpp"

#include <muster/scope.hpp>

#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace checksum {

/// Files of one folder that one task hashes.
struct batch {
  muster::scope& crew;                       ///< the folder's; it outlives the task
  std::shared_ptr<const std::string> folder; ///< its path with a slash at the end
  std::vector<std::string> names{};
};

/// A file's sum, or why it could not be read.
using answer = std::variant<digest, std::error_code>;
/// In place of the answer for a large file: the task that will give it.
using large_file = muster::task<answer>;
using answers = std::vector<std::variant<digest, std::error_code, large_file>>;

/// Starts the task that hashes `files`. It gives an answer for each of them, or, if it was asked to stop, for as many
/// as were done by then. A file of more than one block that is not alone in the batch gets a task of its own, which is
/// sooner served than the batches behind this one, because the output cannot go on without it.
[[nodiscard]] muster::task<answers> start(std::shared_ptr<const batch> files, tally& counts);

} // namespace checksum
