/// Main's side of the work: see sweep.hpp.
#include "sweep.hpp"

#include "line.hpp"

#include <string_view>

namespace checksum {

namespace {

/// Files in one batch: enough that starting a task does not count, few enough that a folder keeps all workers busy.
constexpr std::size_t batch_size = 32;
/// How much may be in the line at the same time, and what its members count: roughly a file's worth of memory each.
constexpr std::size_t line_limit = std::size_t{1} << 16U;
constexpr std::size_t batch_cost = 8;
constexpr std::size_t folder_cost = 32;
/// Folders that may be closed and not joined yet.
constexpr std::size_t most_closed = 64;

/// The task that the next answer of `sums` still needs, or null.
const muster::task_handle* needed(const muster::task<answers>& sums, std::size_t printed) {
  if (!sums.ready())
    return &sums;
  const auto& ended = sums.get();
  if (!ended.ok() || printed >= ended.value().size())
    return nullptr;
  const auto* large = std::get_if<large_file>(&ended.value()[printed]);
  return large != nullptr && !large->ready() ? large : nullptr;
}

/// Of a file that was named on the command line.
std::shared_ptr<const std::string> no_folder() { return std::make_shared<const std::string>(); }

muster::error why_stopped(const muster::scope& crew) { return crew.reason().to_error(crew.path()); }

muster::error cannot_write(std::error_code why) { return {why, "standard output"}; }

} // namespace

sweep::sweep(muster::manager& site, muster::scope& crew, const std::vector<std::string>& starts, output& out,
             screen& shown, tally& counts)
    : site_{site},
      crew_{crew},
      trees_{starts},
      out_{out},
      shown_{shown},
      counts_{counts},
      entered_(starts.size()) {}

muster::result<bool> sweep::run() {
  muster::result<void> fine;
  while (fine && !crew_.cancelled() && !(walked_ && line_.empty())) {
    if (shown_.has_bar())
      shown_.draw_bar(site_.now());
    if (!line_.empty() && front_is_ready())
      fine = serve_front();
    else if (!walked_ && cost_ < line_limit)
      walk_on();
    else
      fine = wait_for_front();
  }
  const bool all_printed = fine && walked_ && line_.empty();
  if (all_printed)
    fine = join_closed(0);
  if (const auto problem = out_.flush(); problem && fine)
    fine = std::unexpected{cannot_write(problem)};
  if (!all_printed && crew_.cancelled()) // this is why the task in front failed, too
    fine = std::unexpected{why_stopped(crew_)};
  if (!fine)
    return std::unexpected{std::move(fine).error()};
  return all_read_;
}

// ---- the walk, and the end of the line
// -------------------------------------------------------------------------------

void sweep::walk_on() {
  const auto found = trees_.next();
  if (!found) {
    send_batch();
    walked_ = true;
    counts_.all_found.store(true);
    return;
  }
  const auto& [start, met] = *found;
  auto& entered = entered_[start];
  switch (met.what) {
  case step::kind::enter:
    entered.push_back(std::make_unique<folder>(entered.empty() ? crew_ : entered.back()->crew, met));
    break;
  case step::kind::file: take(start, met); break;
  case step::kind::leave:
    send_batch();
    join_the_line(std::move(entered.back()));
    entered.pop_back();
    break;
  case step::kind::fault:
    all_read_ = false;
    shown_.complain(std::string{met.folder}.append(met.name), met.error.message());
    break;
  }
}

void sweep::take(std::size_t start, const step& file) {
  const auto& entered = entered_[start];
  auto& crew = entered.empty() ? crew_ : entered.back()->crew;
  if (batch_ && (&batch_->crew != &crew || batch_->names.size() == batch_size))
    send_batch();
  if (!batch_)
    batch_ = std::make_shared<batch>(crew, entered.empty() ? no_folder() : entered.back()->path);
  batch_->names.emplace_back(file.name);
  counts_.found.fetch_add(1, std::memory_order_relaxed);
}

void sweep::send_batch() {
  if (!batch_)
    return;
  std::shared_ptr<const batch> files = std::exchange(batch_, {});
  auto task = start(files, counts_);
  join_the_line(started{std::move(files), std::move(task)});
}

void sweep::join_the_line(place one) {
  cost_ += cost_of(one);
  line_.push_back(std::move(one));
}

std::size_t sweep::cost_of(const place& one) {
  const auto* const batch = std::get_if<started>(&one);
  return batch != nullptr ? batch_cost + batch->files->names.size() : folder_cost;
}

// ---- the front of the line
// -------------------------------------------------------------------------------------------

bool sweep::front_is_ready() const {
  const auto* const front = std::get_if<started>(&line_.front());
  return front == nullptr || needed(front->task, front->printed) == nullptr;
}

muster::result<void> sweep::serve_front() {
  auto& front = line_.front();
  if (auto* const batch = std::get_if<started>(&front)) {
    if (auto printed = print_ready(*batch); !printed || batch->printed < batch->files->names.size())
      return printed;
  }
  cost_ -= cost_of(front);
  if (auto* const over = std::get_if<complete>(&front)) {
    (*over)->crew.close();
    closed_.push_back(std::move(*over));
  }
  line_.pop_front();
  return join_closed(most_closed);
}

/// Joins the folders that have ended, and more until no more than `leave` are left.
muster::result<void> sweep::join_closed(std::size_t leave) {
  while (!closed_.empty() && (closed_.size() > leave || closed_.front()->crew.ended())) {
    if (auto joined = closed_.front()->crew.wait(); !joined)
      return joined;
    closed_.pop_front();
  }
  return {};
}

/// Prints the answers that are there, up to the first large file that is not ready yet.
muster::result<void> sweep::print_ready(started& front) {
  const auto& ended = front.task.get();
  if (!ended.ok())
    return std::unexpected{ended.error()};
  const auto& sums = ended.value();
  while (front.printed < sums.size() && needed(front.task, front.printed) == nullptr) {
    const auto& next = sums[front.printed];
    if (const auto* const large = std::get_if<large_file>(&next)) {
      if (!large->get().ok())
        return std::unexpected{large->get().error()};
      std::visit([&](const auto& got) { print(front, got); }, large->get().value());
    } else if (const auto* const sum = std::get_if<digest>(&next)) {
      print(front, *sum);
    } else {
      print(front, std::get<std::error_code>(next));
    }
    ++front.printed;
  }
  if (front.printed == sums.size() && sums.size() < front.files->names.size()) // it was asked to stop half-way
    return std::unexpected{why_stopped(front.files->crew)};
  if (const auto problem = out_.flush_if_full())
    return std::unexpected{cannot_write(problem)};
  return {};
}

void sweep::print(const started& front, const digest& sum) {
  append_line(out_.lines(), sum, *front.files->folder, front.files->names[front.printed]);
  counts_.printed.fetch_add(1, std::memory_order_relaxed);
}

void sweep::print(const started& front, const std::error_code& problem) {
  all_read_ = false;
  shown_.complain(*front.files->folder + front.files->names[front.printed], problem.message());
}

/// Returns when the front is ready (it soon is when `crew_` is asked to stop), or when the bar is to be drawn again.
muster::result<void> sweep::wait_for_front() {
  if (const auto problem = out_.flush()) // whoever reads the output need not wait as well
    return std::unexpected{cannot_write(problem)};
  const auto& front = std::get<started>(line_.front());
  if (const auto* const task = needed(front.task, front.printed)) // it may have become ready meanwhile
    static_cast<void>(task->wait_for(shown_.has_bar() ? screen::interval : muster::no_timeout));
  return {};
}

} // namespace checksum
