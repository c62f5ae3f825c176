/// The store in a SQLite file: tables `runs`, `readings` and `summaries`; each run adds to what is there.
///
/// Threads: see store.hpp. Always holds: a batch is one transaction, so it is in the file as a whole or not at all.
#pragma once

#include "store.hpp"

#include <memory>

struct sqlite3;
struct sqlite3_stmt;

namespace telemetry {

class sqlite_store final : public store {
public:
  /// Opens or makes `file` and enters a new run. Fails if it cannot be opened, is no database, or cannot be written.
  [[nodiscard]] static muster::result<std::shared_ptr<sqlite_store>> open(const std::string& file);
  ~sqlite_store() override;

  [[nodiscard]] muster::result<void> write(std::span<const reading> readings,
                                           std::span<const summary> summaries) override;
  [[nodiscard]] muster::result<void> close() override;
  [[nodiscard]] std::int64_t run() const noexcept { return run_; }

private:
  explicit sqlite_store(sqlite3* connection) noexcept : connection_(connection) {}
  muster::result<void> execute(const char* sql);
  muster::result<void> fill(std::span<const reading> readings, std::span<const summary> summaries);

  sqlite3* connection_;
  std::int64_t run_ = 0;
};

/// How many readings of a run are in the file.
[[nodiscard]] muster::result<std::uint64_t> count_readings(const std::string& file, std::int64_t run);

} // namespace telemetry
