/// SQLite, as little of it as the shop needs: a file, transactions, parameters, rows.
///
/// Owner: in the shop, its pool of connections; in a service, which has one, the service. Threads: any; a transaction
/// holds its connection until it ends, so that those of one connection take turns; SQLite's own locks make those of
/// several connections do so, in whatever process they are.
/// Always holds: what a transaction did is there as a whole or not at all. Failures are thrown as std::system_error
/// with SQLite's code, which Muster hands on as the error of the task.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

struct sqlite3;
struct sqlite3_stmt;

namespace shop {

[[nodiscard]] const std::error_category& sqlite_category() noexcept;

/// One row of an answer; valid until the next.
class row_view {
public:
  [[nodiscard]] std::int64_t number(int column) const;
  [[nodiscard]] std::string text(int column) const;

private:
  friend class transaction;
  explicit row_view(sqlite3_stmt* statement) noexcept : statement_(statement) {}
  sqlite3_stmt* statement_;
};

class database;

/// What happens between BEGIN and COMMIT. Without `commit()` its destructor takes everything back.
class transaction {
public:
  transaction(const transaction&) = delete;
  transaction& operator=(const transaction&) = delete;
  ~transaction();

  /// Runs one statement that answers nothing; returns how many rows it changed.
  template <class... Values>
  std::int64_t run(std::string_view sql, const Values&... values) {
    return each(
        sql, [](const row_view&) {}, values...);
  }
  /// Calls `take(row)` for every row of the answer; returns how many rows the statement changed.
  template <class Take, class... Values>
  std::int64_t each(std::string_view sql, Take&& take, const Values&... values) {
    const auto statement = prepare(sql);
    int index = 0;
    (bind(statement.get(), ++index, values), ...);
    while (step(statement.get()))
      take(row_view{statement.get()});
    return changes();
  }
  /// The first column of the first row, or `otherwise`.
  template <class... Values>
  [[nodiscard]] std::int64_t number(std::string_view sql, std::int64_t otherwise, const Values&... values) {
    auto found = otherwise;
    each(
        sql, [&](const row_view& row) { found = row.number(0); }, values...);
    return found;
  }
  void commit();

private:
  friend class database;
  struct finalizer {
    void operator()(sqlite3_stmt* statement) const noexcept;
  };
  using statement_ptr = std::unique_ptr<sqlite3_stmt, finalizer>;

  transaction(sqlite3* connection, std::unique_lock<std::mutex> turn, bool writes);
  statement_ptr prepare(std::string_view sql);
  void bind(sqlite3_stmt* statement, int index, std::int64_t value);
  void bind(sqlite3_stmt* statement, int index, std::string_view value);
  bool step(sqlite3_stmt* statement);
  [[nodiscard]] std::int64_t changes() const noexcept;

  sqlite3* connection_;
  std::unique_lock<std::mutex> turn_;
  bool open_ = true;
};

class database {
public:
  enum class access : std::uint8_t { create, existing };
  /// Opens `file` (or makes it) in WAL mode; its transactions wait up to five seconds for those of other processes.
  explicit database(const std::string& file, access how = access::create);

  /// Runs statements one after another, outside of any transaction of ours: for a schema.
  void script(const std::string& sql);
  /// To read and write (it takes SQLite's write lock at once, so that it cannot fail halfway for want of it).
  [[nodiscard]] transaction write() { return begin(true); }
  /// To read one consistent state.
  [[nodiscard]] transaction read() { return begin(false); }

private:
  struct closer {
    void operator()(sqlite3* connection) const noexcept;
  };
  transaction begin(bool writes) { return {connection_.get(), std::unique_lock{mutex_}, writes}; }

  std::unique_ptr<sqlite3, closer> connection_;
  std::mutex mutex_;
};

} // namespace shop
