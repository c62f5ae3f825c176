/// See sqlite_store.hpp.
#include "sqlite_store.hpp"

#include <sqlite3.h>

#include <utility>

namespace telemetry {

namespace {

constexpr const char* schema = R"(
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS runs (run INTEGER PRIMARY KEY, started TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);
  CREATE TABLE IF NOT EXISTS readings (
    run INTEGER NOT NULL, source TEXT NOT NULL, incarnation INTEGER NOT NULL, sequence INTEGER NOT NULL,
    at_ns INTEGER NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (run, source, incarnation, sequence)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS summaries (
    run INTEGER NOT NULL, source TEXT NOT NULL, first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL,
    count INTEGER NOT NULL, least REAL NOT NULL, mean REAL NOT NULL, most REAL NOT NULL);
)";

std::unexpected<muster::error> failure(sqlite3* connection) {
  return std::unexpected{muster::error{std::errc::io_error, sqlite3_errmsg(connection)}};
}

std::int64_t ns(muster::time_point t) { return std::chrono::nanoseconds{t.time_since_epoch()}.count(); }

/// A prepared statement; its parameters are bound by position.
class statement {
public:
  statement(sqlite3* connection, const char* sql) : connection_(connection) {
    sqlite3_prepare_v2(connection, sql, -1, &it_, nullptr);
  }
  statement(const statement&) = delete;
  statement& operator=(const statement&) = delete;
  ~statement() { sqlite3_finalize(it_); }

  template <class... Values>
  muster::result<void> run(const Values&... values) {
    int position = 0;
    if (it_ == nullptr || ((bind(++position, values) != SQLITE_OK) || ...) || sqlite3_step(it_) != SQLITE_DONE)
      return failure(connection_);
    sqlite3_reset(it_);
    return {};
  }
  /// The first column of the one row that it answers.
  muster::result<std::int64_t> number(std::int64_t parameter) {
    if (it_ == nullptr || bind(1, parameter) != SQLITE_OK || sqlite3_step(it_) != SQLITE_ROW)
      return failure(connection_);
    return sqlite3_column_int64(it_, 0);
  }

private:
  int bind(int at, std::int64_t value) { return sqlite3_bind_int64(it_, at, value); }
  int bind(int at, double value) { return sqlite3_bind_double(it_, at, value); }
  int bind(int at, const std::string& value) {
    return sqlite3_bind_text(it_, at, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT);
  }

  sqlite3* connection_;
  sqlite3_stmt* it_ = nullptr;
};

} // namespace

muster::result<std::shared_ptr<sqlite_store>> sqlite_store::open(const std::string& file) {
  sqlite3* connection = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &connection,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_FULLMUTEX, nullptr);
  const std::shared_ptr<sqlite_store> made{new sqlite_store{connection}}; // closes it on every way out
  if (opened != SQLITE_OK)
    return failure(connection);
  sqlite3_busy_timeout(connection, 5'000);
  if (auto done = made->execute(schema); !done)
    return std::unexpected{done.error()};
  if (auto done = made->execute("INSERT INTO runs DEFAULT VALUES"); !done)
    return std::unexpected{done.error()};
  made->run_ = sqlite3_last_insert_rowid(connection);
  return made;
}

sqlite_store::~sqlite_store() { sqlite3_close(connection_); }

muster::result<void> sqlite_store::execute(const char* sql) {
  if (sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    return failure(connection_);
  return {};
}

muster::result<void> sqlite_store::write(std::span<const reading> readings, std::span<const summary> summaries) {
  if (auto begun = execute("BEGIN IMMEDIATE"); !begun)
    return begun;
  if (auto filled = fill(readings, summaries); !filled) {
    static_cast<void>(execute("ROLLBACK"));
    return filled;
  }
  auto done = execute("COMMIT");
  if (!done)
    static_cast<void>(execute("ROLLBACK"));
  return done;
}

muster::result<void> sqlite_store::fill(std::span<const reading> readings, std::span<const summary> summaries) {
  statement one{connection_, "INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)"};
  for (const auto& r : readings)
    if (auto done = one.run(run_, r.source, std::int64_t{r.incarnation}, std::int64_t{r.sequence}, ns(r.at), r.value);
        !done)
      return done;
  statement sum{connection_, "INSERT INTO summaries VALUES (?, ?, ?, ?, ?, ?, ?, ?)"};
  for (const auto& s : summaries)
    if (auto done = sum.run(run_, s.source, ns(s.first), ns(s.last), std::int64_t{s.count}, s.least, s.mean, s.most);
        !done)
      return done;
  return {};
}

muster::result<void> sqlite_store::close() {
  if (sqlite3_close(connection_) != SQLITE_OK)
    return failure(connection_);
  connection_ = nullptr;
  return {};
}

muster::result<std::uint64_t> count_readings(const std::string& file, std::int64_t run) {
  sqlite3* connection = nullptr;
  const int opened = sqlite3_open_v2(file.c_str(), &connection, SQLITE_OPEN_READONLY, nullptr);
  const std::unique_ptr<sqlite3, int (*)(sqlite3*)> held{connection, sqlite3_close};
  if (opened != SQLITE_OK)
    return failure(connection);
  auto found = statement{connection, "SELECT count(*) FROM readings WHERE run = ?"}.number(run);
  if (!found)
    return std::unexpected{found.error()};
  return static_cast<std::uint64_t>(*found);
}

} // namespace telemetry
