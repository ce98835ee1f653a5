// All that decides what the collector does next, for a search over states.
#include "pipeline/state_hash.h"
#include "sink/collector.h"

namespace fantail {

namespace {

// The longest that each stamp is waited for.
constexpr Duration kAnswers = std::chrono::seconds(1);
constexpr Duration kAbandons = std::chrono::seconds(5);
constexpr Duration kLingers = std::chrono::seconds(10);

}  // namespace

std::uint64_t Collector::hash() const {
  StateHash hash;
  add_to(hash);
  return hash.value();
}

void Collector::add_to(StateHash& hash) const {
  hash.add_epoch(StateHash::Epoch::kSink, policy_.epoch)
      .add(run_id_)
      .add(done_)
      .add(without_rows_)
      .add(kind_ ? 1 : 0);
  hash.add(counts_.submitted).add(counts_.ok).add(counts_.failed).add(counts_.cancelled).add(counts_.expired);
  hash.add(durable_counts_.ok)
      .add(durable_counts_.failed)
      .add(committing_counts_.ok)
      .add(committing_counts_.failed);
  hash.add(groups_.groups()).add(groups_.reached()).add(groups_.won().size());
  hash.add(digest_.low).add(digest_.high);
  hash.add_figure(duplicates_).add(by_copies_).add_figure(work_us_).add_figure(started_jobs_);
  hash.add_figure(dropped_.late).add_figure(dropped_.forged).add_figure(dropped_.stale);
  for (const auto& [id, name] : worker_names_)
    hash.add_figure(id).add_figure(name);
  hash.add(log_base_).add(log_.size());
  for (const JobSpan& span : log_)
    hash.add(span.first).add(span.end);
  for (const auto* spans : {&uncommitted_log_, &committing_log_}) {
    hash.add(spans->size());
    for (const JobSpan& span : *spans)
      hash.add(span.first).add(span.end);
  }
  for (const auto* acknowledgements : {&uncommitted_acks_, &committing_acks_}) {
    hash.add(acknowledgements->size());
    for (const auto& [id, sequences] : *acknowledgements) {
      hash.add_name(id).add(sequences.size());
      for (const std::uint64_t sequence : sequences)
        hash.add(sequence);
    }
  }
  hash.add(static_cast<std::uint64_t>(facts_.end()))
      .add_figure(facts_.SerializeAsString())
      .add_figure(former_facts_.SerializeAsString());
  hash.add((books_changed_ ? 1 : 0) + (closed_ ? 2 : 0) + (ended_ ? 4 : 0) + (acknowledged_ ? 8 : 0));
  hash.add(question_ ? 1 : 0);
  if (question_) {
    hash.add_figure(question_->question()).add_epoch(StateHash::Epoch::kSink, question_->sink_epoch());
    hash.add(question_->offset());
    hash.add(static_cast<std::uint64_t>(question_->facts().end())).add(asked_at_, kAnswers);
  }
  hash.add_epoch(StateHash::Epoch::kVentilator, ventilator_epoch_)
      .add(claimed_ ? 1 : 0)
      .add(ventilator_heard_, kAbandons);
  hash.add_figure(first_dispatch_.value_or(Instant{})).add_figure(last_commit_).add_figure(started_);
  hash.add(deadline_at_ ? 1 : 0).add_figure(deadline_at_.value_or(Instant{}));
  hash.add(static_cast<std::uint64_t>(own_end_)).add(static_cast<std::uint64_t>(own_end_level_));
  hash.add_figure(own_end_reason_).add_figure(run_policy_.SerializeAsString());
  if (own_end_ != proto::RUN_END_NONE) hash.add(own_end_at_, kAbandons);
  hash.add(done_sent_at_ ? 1 : 0);
  if (done_sent_at_) hash.add(*done_sent_at_, kLingers);
  hash.add(exit_code_ ? 1 + static_cast<std::uint64_t>(*exit_code_) : 0);
}

}  // namespace fantail
