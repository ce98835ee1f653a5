#include "sink/run_output.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <utility>

#include "sink/joblog.h"
#include "sink/report.h"
#include "sink/summary.h"
#include "sink/writers/csv.h"
#include "sink/writers/jsonl.h"

namespace fantail {

namespace {

// Of the file of rows; empty: there is none.
std::string absolute_path(const OutputOptions& options) {
  std::error_code failure;
  if (options.output.empty() || options.output == "-") return {};
  return std::filesystem::absolute(options.output, failure).string();
}

}  // namespace

RunOutput::RunOutput(const OutputOptions& options, std::size_t held_bytes_max)
    : given_(options),
      options_(options),
      stdout_(terminal_of(STDOUT_FILENO)),
      stderr_is_terminal_(isatty(STDERR_FILENO) == 1),
      table_(options.all) {
  csv_ = options.format == "csv";
  const bool to_stdout = options.output == "-";
  const bool row_format = options.format == "jsonl" || options.format == "csv";
  shows_table_ = options.format == "table" || (options.format == "auto" && stdout_.is_terminal && !to_stdout);
  // Without --output the rows are stdout's, unless the table is.
  // Without rows in the ledger nobody wants them by chance.
  const bool unasked = options.keep == Keep::kSummary && options.format == "auto" && options.output.empty();
  if (unasked) shows_table_ = false;
  const bool rows_without_file = options.output.empty() && !shows_table_ && !unasked;
  rows_to_stdout_ = to_stdout || rows_without_file;
  // A row format asked for on a terminal beside --output FILE concerns the file; the table is still shown.
  if (row_format && stdout_.is_terminal && !options.output.empty() && !to_stdout) shows_table_ = true;
  path_ = absolute_path(options);
  if (options.keep_order) ordered_.emplace(held_bytes_max);
}

std::optional<std::string> RunOutput::open() {
  return names_run(given_) ? std::nullopt : open_files();
}

void RunOutput::name_run(const std::string& run) {
  options_ = with_run(given_, run);
  path_ = absolute_path(options_);
}

std::optional<std::string> RunOutput::open_files() {
  if (!options_.joblog.empty()) {
    auto file = OutputFile::open(options_.joblog, "--joblog");
    if (auto* error = std::get_if<std::string>(&file)) return *error;
    joblog_.emplace(std::move(std::get<OutputFile>(file)));
  }
  if (!rows_to_stdout_ && options_.output.empty()) return std::nullopt;
  auto file = OutputFile::open(rows_to_stdout_ ? "-" : options_.output);
  if (auto* error = std::get_if<std::string>(&file)) return *error;
  rows_.emplace(std::move(std::get<OutputFile>(file)));
  return std::nullopt;
}

std::optional<std::string> RunOutput::begin(const Kind& kind, const OutputMark& mark,
                                            const OutputFolder& outputs) {
  if (names_run(given_)) {
    if (const auto error = open_files()) return error_ = error;
  }
  if (kind.exec_spec() == nullptr) {
    joblog_.reset();
  } else if (fantail::passes_output(options_)) {
    shows_table_ = false;
    rows_.reset();
    processes_.emplace(
        ProcessOutput::Options{
            .tag = options_.tag, .arguments = kind.exec_spec()->arguments(), .before_write = before_output_},
        outputs);
    if (ordered_) ordered_->start_at(mark.next_job);
  }
  if (!rows_) return std::nullopt;
  keep(rows_->start_at(mark.length));
  if (ordered_) ordered_->start_at(mark.next_job);
  if (csv_ && mark.length == 0) {
    line_.clear();
    append_csv_header(kind.field_names(), line_);
    write(line_);
  }
  return error_;
}

void RunOutput::begin_joblog(bool anew) {
  if (!joblog_) return;
  std::error_code failure;
  const std::uintmax_t size = anew ? 0 : std::filesystem::file_size(options_.joblog, failure);
  keep(joblog_->start_at(failure ? 0 : size));
  if (anew) keep(joblog_->append(kJoblogHeader));
}

void RunOutput::record_in_joblog(const Kind& kind, const Outcome& outcome) {
  if (!joblog_) return;
  line_.clear();
  append_joblog(*kind.exec_spec(), of_process(kind, outcome), line_);
  keep(joblog_->append(line_));
}

Outcome RunOutput::of_process(const Kind& kind, const Outcome& outcome) {
  input_ = kind.job_of(outcome.input).input;
  return outcome.with_input(input_);
}

void RunOutput::write(std::string_view bytes) {
  if (processes_) processes_->show(read_record(bytes.data()));
  if (rows_) keep(rows_->append(bytes));
}

void RunOutput::record(const Kind& kind, const Outcome& outcome) {
  record_in_joblog(kind, outcome);
  record_in_table(kind, outcome);
  if (!gives_rows()) return;
  if (processes_ && !ordered_) return processes_->show(of_process(kind, outcome));
  format(kind, outcome);
  if (ordered_) {
    ordered_->add(outcome.job, line_, write_);
  } else {
    write(line_);
  }
}

// A row as it is written, or what a process's output is shown by when it is its turn.
void RunOutput::format(const Kind& kind, const Outcome& outcome) {
  line_.clear();
  if (processes_) {
    append_record(of_process(kind, outcome), line_);
  } else if (csv_) {
    append_csv(make_row(kind, outcome), line_);
  } else {
    append_jsonl(make_row(kind, outcome), line_);
  }
}

void RunOutput::record_in_table(const Kind& kind, const Outcome& outcome) {
  if (shows_table_) table_.add(make_row(kind, outcome));
}

JobSpan RunOutput::missing_rows(const RangeSet& done) const {
  if (!ordered_ || !gives_rows() || error_ || lacks_space()) return {};
  const JobSpan gap = ordered_->gap();
  return {gap.first, std::min(gap.end, done.end_of_run(gap.first))};
}

void RunOutput::write_missing(const Kind& kind, const Outcome& outcome) {
  format(kind, outcome);
  ordered_->pass(outcome.job, write_);
  ordered_->add(outcome.job, line_, write_);
}

void RunOutput::end_missing(JobId job) {
  ordered_->pass(job, write_);
}

std::optional<std::string> RunOutput::write_rows() {
  if (joblog_) keep(joblog_->flush());
  if (processes_) keep(processes_->flush());
  if (error_ || !rows_) return error_;
  auto error = rows_->flush();
  if (!rows_->lacks_space()) keep(error);
  return error;
}

std::optional<std::string> RunOutput::sync(OutputMark& mark) {
  keep(rows_->sync());
  mark.length = rows_->length();
  mark.next_job = ordered_ ? ordered_->next() : 0;
  return error_;
}

bool RunOutput::tells(const RunSummary& summary) const {
  if (options_.progress == "quiet") return false;
  return !is_silent() || summary.jobs.ok != summary.jobs.submitted || !summary.end_reason.empty();
}

std::optional<std::string> RunOutput::finish(const RunSummary& summary, const Kind& kind,
                                             const Digest& digest) {
  keep(write_rows());
  if (rows_) keep(rows_->close());
  if (joblog_) keep(joblog_->close());
  if (!options_.report.empty()) {
    keep(write_file_atomically(options_.report, make_report(summary, kind, digest).dump(2) + "\n"));
  }
  const std::string lines = make_summary(summary, kind, stdout_.unicode ? Charset::kUtf8 : Charset::kAscii);
  if (shows_table_) {
    std::cout << table_.render(stdout_.width, stdout_.unicode, stdout_.color) << lines << std::flush;
  } else if (tells(summary)) {
    std::cerr << lines << std::flush;
  }
  return error_;
}

}  // namespace fantail
