#include "sink/row.h"

#include "sink/kinds/kind.h"
#include "sink/writers/decimal_text.h"

namespace fantail {

namespace {

// What an error says when whoever ended the job gave no code: a job that no worker started has none.
RowError unexplained_error(Status status) {
  switch (status) {
    case Status::kCancelled:
      return {"cancelled", "the run was cancelled before this job ended"};
    case Status::kExpired:
      return {"expired", "the run's deadline passed before this job ended"};
    default:
      return {"internal", "the job failed without a reason"};
  }
}

std::optional<RowError> row_error(const Outcome& outcome) {
  if (outcome.status == Status::kOk) return std::nullopt;
  if (outcome.error_code.empty()) return unexplained_error(outcome.status);
  return RowError{std::string(outcome.error_code), std::string(outcome.error_message)};
}

}  // namespace

std::string_view status_name(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kFailed:
      return "failed";
    case Status::kCancelled:
      return "cancelled";
    case Status::kExpired:
      return "expired";
  }
  return "failed";
}

Decimal as_milliseconds(std::uint64_t microseconds) {
  Decimal decimal;
  append_milliseconds(microseconds, decimal.text);
  return decimal;
}

Row make_row(const Kind& kind, const Outcome& outcome) {
  Row row;
  row.job = outcome.job;
  row.input = kind.job_of(outcome.input).input;
  row.kind = kind.name();
  row.status = outcome.status;
  row.attempt = outcome.attempt;
  row.worker = outcome.worker;
  row.queued_us = outcome.queued_us;
  row.duration_us = outcome.duration_us;
  row.error = row_error(outcome);
  row.fields = kind.fields(outcome);
  return row;
}

}  // namespace fantail
