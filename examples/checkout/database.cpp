/// SQLite behind `database` and `transaction`. The thread that calls does the work; see database.hpp.
#include "database.hpp"

#include <sqlite3.h>

namespace shop {

namespace {

class category final : public std::error_category {
public:
  const char* name() const noexcept override { return "sqlite"; }
  std::string message(int code) const override { return sqlite3_errstr(code); }
};

[[noreturn]] void fail(sqlite3* connection, std::string doing) {
  const int code = connection ? sqlite3_extended_errcode(connection) : SQLITE_NOMEM;
  const std::string_view says = connection ? sqlite3_errmsg(connection) : "";
  if (!says.empty() && says != sqlite3_errstr(code)) // the code's own text follows anyway
    doing.append(": ").append(says);
  throw std::system_error{code, sqlite_category(), doing};
}

void execute(sqlite3* connection, const char* sql) {
  if (sqlite3_exec(connection, sql, nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(connection, sql);
}

} // namespace

const std::error_category& sqlite_category() noexcept {
  static const category the_category;
  return the_category;
}

std::int64_t row_view::number(int column) const { return sqlite3_column_int64(statement_, column); }

std::string row_view::text(int column) const {
  const auto* bytes = sqlite3_column_text(statement_, column);
  if (!bytes)
    return {};
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

transaction::transaction(sqlite3* connection, std::unique_lock<std::mutex> turn, bool writes)
    : connection_(connection),
      turn_(std::move(turn)) {
  execute(connection_, writes ? "BEGIN IMMEDIATE" : "BEGIN");
}

transaction::~transaction() {
  // SQLite may have rolled back by itself already; then this says so and changes nothing.
  if (open_)
    sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
}

void transaction::commit() {
  execute(connection_, "COMMIT");
  open_ = false;
}

void transaction::finalizer::operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }

transaction::statement_ptr transaction::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr) != SQLITE_OK)
    fail(connection_, std::string{sql});
  return statement_ptr{statement};
}

void transaction::bind(sqlite3_stmt* statement, int index, std::int64_t value) {
  if (sqlite3_bind_int64(statement, index, value) != SQLITE_OK)
    fail(connection_, "binding a number");
}

void transaction::bind(sqlite3_stmt* statement, int index, std::string_view value) {
  if (sqlite3_bind_text(statement, index, value.data(), static_cast<int>(value.size()), SQLITE_TRANSIENT) != SQLITE_OK)
    fail(connection_, "binding a text");
}

bool transaction::step(sqlite3_stmt* statement) {
  switch (sqlite3_step(statement)) {
  case SQLITE_ROW: return true;
  case SQLITE_DONE: return false;
  default: fail(connection_, sqlite3_sql(statement));
  }
}

std::int64_t transaction::changes() const noexcept { return sqlite3_changes(connection_); }

database::database(const std::string& file, access how) {
  const int flags = SQLITE_OPEN_READWRITE | (how == access::create ? SQLITE_OPEN_CREATE : 0);
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(file.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  connection_.reset(opened);
  if (code != SQLITE_OK)
    fail(opened, "opening " + file);
  sqlite3_busy_timeout(opened, 5000);
  if (how == access::create)
    execute(opened, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;");
}

void database::script(const std::string& sql) {
  const std::lock_guard turn{mutex_};
  execute(connection_.get(), sql.c_str());
}

void database::closer::operator()(sqlite3* connection) const noexcept { sqlite3_close_v2(connection); }

} // namespace shop
