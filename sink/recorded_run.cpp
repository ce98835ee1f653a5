#include "sink/recorded_run.h"

#include <utility>

#include "books.pb.h"
#include "kinds.pb.h"
#include "pipeline/app/run_lock.h"
#include "pipeline/ulid.h"
#include "sink/collector.h"
#include "sink/report.h"

namespace fantail {

namespace {

constexpr Status kStatuses[] = {Status::kOk, Status::kFailed, Status::kCancelled, Status::kExpired};

LedgerError unreadable(const LedgerFile& ledger) {
  return {LedgerFault::kFatal, ledger.path() + " was written by another release: read it with that one"};
}

std::uint64_t size_of(const RangeSet& jobs, const RangeSet& among) {
  std::uint64_t size = 0;
  for (const JobSpan& span : jobs.spans()) {
    for (const JobSpan& part : among.within(span))
      size += part.size();
  }
  return size;
}

}  // namespace

std::variant<RecordedRun, LedgerError> read_recorded_run(const std::string& folder) {
  RecordedRun run;
  // Before the ledger: a run that ends in between has its last books then.
  run.holder = lock_holder(folder);
  auto opened = LedgerFile::open_to_read(folder);
  if (auto* error = std::get_if<LedgerError>(&opened)) return std::move(*error);
  run.ledger = std::move(std::get<std::unique_ptr<LedgerFile>>(opened));
  const LedgerFile& ledger = *run.ledger;
  KeptRun kept;
  const std::optional<std::string> run_id = parse_ulid(ledger.run().run_id);
  if (!run_id || !kept.spec.mutable_kind()->ParseFromString(ledger.run().spec)) return unreadable(ledger);
  run.kind = make_kind(kept.spec.kind());
  if (run.kind == nullptr) return unreadable(ledger);
  run.summary.run_id = ledger.run().run_id;
  run.summary.kind = ledger.run().kind;
  // Nothing but its beginning was written.
  if (ledger.sequence() == 0) return run;
  kept.spec.set_run_id(*run_id);
  kept.aggregate = ledger.books().aggregate;
  if (!kept.books.ParseFromString(ledger.books().state) || !run.kind->load(kept.aggregate))
    return unreadable(ledger);
  const Instant written{Duration(kept.books.written_at())};
  Collector collector({}, written);
  if (!collector.restore(kept, Duration{0}, written)) return unreadable(ledger);
  run.summary = collector.summary(written);
  run.ended = collector.run_ended();
  return run;
}

std::string_view recorded_state(const RecordedRun& run) {
  if (run.ended) return run_state_name(run.summary.state);
  return run.holder ? "running" : "unfinished";
}

std::variant<AbsentRows, LedgerError> absent_rows(const LedgerFile& ledger, std::optional<Status> status) {
  AbsentRows absent;
  const auto by_number = ledger.done_without_rows();
  if (const auto* error = std::get_if<LedgerError>(&by_number)) return *error;
  for (const Status each : kStatuses) {
    if (status && *status != each) continue;
    const auto ended = ledger.done_with(each);
    if (const auto* error = std::get_if<LedgerError>(&ended)) return *error;
    const std::uint64_t numbered = size_of(std::get<RangeSet>(by_number), std::get<RangeSet>(ended));
    absent.by_number += numbered;
    if (!ledger.keeps(each)) absent.not_kept += std::get<RangeSet>(ended).size() - numbered;
  }
  return absent;
}

}  // namespace fantail
