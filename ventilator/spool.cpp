#include "ventilator/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <utility>

#include "pipeline/app/durable.h"

namespace fantail {

namespace {

// Inputs that come between two syncs go into records of about this size: one is read as a whole.
constexpr std::size_t kRecordWanted = std::size_t{4} << 20;
constexpr std::size_t kInputMax = std::size_t{1} << 30;

}  // namespace

std::variant<Spool, std::string> Spool::create(const std::string& folder, const SpoolRun& run) {
  const std::string path = folder + "/spool";
  if (access(path.c_str(), F_OK) == 0) {
    return path + " is there already: another run has this folder; continue it, or remove the folder";
  }
  std::string payload;
  put_run(payload, run);
  RecordChain chain;
  const std::string record = chain.seal(payload);
  // Under another name first: no crash leaves a spool that does not say whose it is.
  if (auto error = replace_file_durably(path, record)) return *error;
  FileDescriptor file(open_private_file(path, O_RDWR));
  if (!file.is_open()) {
    return "cannot open " + path + ": " + error_text(errno) + "; choose another --state-dir";
  }
  Spool spool(path, std::move(file));
  spool.run_ = run;
  spool.chain_ = chain;
  spool.end_ = record.size();
  return spool;
}

void Spool::append(std::string_view input) {
  assert(!closed());
  if (input.size() > kInputMax && !fatal_) {
    fatal_ = SpoolFault{SpoolFault::Kind::kFatal, "input " + std::to_string(jobs_ + 1) + " is " +
                                                      std::to_string(input.size()) +
                                                      " bytes long; 1 GiB is the most: split it"};
  }
  if (fatal_) return;
  roll_inputs_hash(inputs_hash_, input);
  put_u32(lengths_, static_cast<std::uint32_t>(input.size()));
  bytes_ += input;
  last_input_ = input;
  ++jobs_;
  if (lengths_.size() + bytes_.size() >= kRecordWanted) seal_record();
}

void Spool::append_generated(std::uint64_t count, std::uint64_t payload_bytes) {
  assert(!closed());
  if (count == 0 || fatal_) return;
  seal_inputs();
  GeneratedEntry generated{count, payload_bytes, {}};
  roll_inputs_hash(inputs_hash_, generated);
  generated.hash = inputs_hash_;
  put_generated(entries_, generated);
  last_input_.clear();
  generated.append_input(count - 1, last_input_);
  jobs_ += count;
}

void Spool::close_input(bool complete, std::uint64_t skipped) {
  assert(!closed());
  closed_ = ClosedEntry{complete, skipped};
  put_closed(notes_, *closed_);
}

void Spool::set_frontier(JobId job) {
  assert(job >= frontier_);
  frontier_moved_ = frontier_moved_ || job != frontier_;
  frontier_ = job;
}

void Spool::add_deaths(const std::vector<JobId>& jobs, bool alone) {
  const DeathsEntry deaths{alone, jobs};
  put_deaths(notes_, deaths);
  apply(deaths);
}

void Spool::set_stop(StopDecision stop) {
  assert(stop.level > stop_.level);
  stop_ = std::move(stop);
  put_stop(notes_, stop_);
}

void Spool::acknowledge() {
  if (acknowledged_) return;
  acknowledged_ = true;
  put_acknowledged(notes_);
}

std::optional<SpoolFault> Spool::sync() {
  if (fatal_) return fatal_;
  if (frontier_moved_) put_frontier(notes_, {frontier_});
  frontier_moved_ = false;
  seal_inputs();
  entries_ += std::exchange(notes_, {});
  seal_record();
  // Nearly always one. Where there are more, each is synced before the next is written: a record proves that
  // the one before it was durable, and by that open() knows damage from a torn tail.
  while (!pending_.empty()) {
    if (auto fault = write_record(pending_.front())) return fault;
    pending_.pop_front();
  }
  return std::nullopt;
}

bool Spool::read(JobSpan jobs, proto::Column& inputs) const {
  if (fatal_ || jobs.first > jobs.end || jobs.end > durable_) return false;
  return reader_.read(file_.get(), chain_.seed, jobs, inputs);
}

std::optional<std::uint64_t> Spool::fitting(JobSpan jobs, std::uint64_t& bytes) const {
  if (fatal_ || jobs.first > jobs.end || jobs.end > durable_) return std::nullopt;
  return reader_.fitting(file_.get(), chain_.seed, jobs, bytes);
}

std::optional<std::vector<std::string>> Spool::read(JobSpan jobs) const {
  proto::Column column;
  if (!read(jobs, column)) return std::nullopt;
  const auto count = static_cast<std::uint32_t>(jobs.size());
  std::optional<ColumnReader> reader = ColumnReader::open(column, count);
  std::vector<std::string> inputs;
  inputs.reserve(count);
  while (inputs.size() < count)
    inputs.emplace_back(reader->next());
  return inputs;
}

void Spool::seal_inputs() {
  if (lengths_.empty()) return;
  put_inputs(entries_, {lengths_, bytes_, inputs_hash_});
  lengths_.clear();
  bytes_.clear();
}

void Spool::seal_record() {
  seal_inputs();
  if (entries_.empty()) return;
  pending_.push_back({std::exchange(entries_, {}), jobs_});
}

std::optional<SpoolFault> Spool::write_record(const Pending& pending) {
  RecordChain chain = chain_;
  const std::string record = chain.seal(pending.payload);
  const int write_error = write_all_at(file_.get(), record, end_);
  if (write_error == ENOSPC || write_error == EDQUOT) {
    // What was written of it is no record.
    const int cut_error = truncate_file(file_.get(), end_);
    if (cut_error != 0) return fail(SpoolFault::Kind::kFatal, cut_error);
    return fail(SpoolFault::Kind::kNoSpace, write_error);
  }
  if (write_error != 0) return fail(SpoolFault::Kind::kFatal, write_error);
  const int sync_error = sync_file_content(file_.get());
  if (sync_error != 0) return fail(SpoolFault::Kind::kFatal, sync_error);
  reader_.add_record(end_, {durable_, pending.end});
  chain_ = chain;
  end_ += record.size();
  durable_ = pending.end;
  return std::nullopt;
}

SpoolFault Spool::fail(SpoolFault::Kind kind, int error_number) {
  SpoolFault fault{kind, "cannot write " + path_ + ": " + error_text(error_number)};
  if (kind == SpoolFault::Kind::kNoSpace) {
    fault.message += "; make room there, and it goes on";
  } else {
    fault.message += "; check that disk, then continue the run: what was confirmed is safe";
    fatal_ = fault;
  }
  return fault;
}

bool Spool::apply_record(std::string_view payload) {
  while (!payload.empty()) {
    const auto entry = take_entry(payload);
    if (!entry || !apply(*entry)) return false;
  }
  return true;
}

bool Spool::apply(const SpoolEntry& entry) {
  if (const auto* inputs = std::get_if<InputsEntry>(&entry)) {
    if (inputs->count() == 0) return false;
    const std::size_t last = get_u32(inputs->lengths.substr(inputs->lengths.size() - sizeof(std::uint32_t)));
    last_input_ = inputs->bytes.substr(inputs->bytes.size() - last);
    inputs_hash_ = inputs->hash;
    jobs_ += inputs->count();
  } else if (const auto* generated = std::get_if<GeneratedEntry>(&entry)) {
    if (generated->count == 0) return false;
    last_input_.clear();
    generated->append_input(generated->count - 1, last_input_);
    inputs_hash_ = generated->hash;
    jobs_ += generated->count;
  } else if (const auto* closed = std::get_if<ClosedEntry>(&entry)) {
    closed_ = *closed;
  } else if (const auto* frontier = std::get_if<FrontierEntry>(&entry)) {
    frontier_ = frontier->job;
  } else if (const auto* deaths = std::get_if<DeathsEntry>(&entry)) {
    for (const JobId job : deaths->jobs) {
      Deaths& count = deaths_[job];
      ++count.total;
      count.alone += deaths->alone ? 1 : 0;
    }
  } else if (const auto* stop = std::get_if<StopDecision>(&entry)) {
    stop_ = *stop;
  } else if (std::holds_alternative<AcknowledgedEntry>(entry)) {
    acknowledged_ = true;
  } else {
    return false;  // a second run
  }
  return true;
}

}  // namespace fantail
