#include "sink/ledger_chain.h"

#include <algorithm>
#include <cstring>

namespace fantail {

namespace {

// Numbers as eight bytes, strings behind their size: no two inputs give the same bytes.
class Bytes {
 public:
  Bytes& add(std::uint64_t value) {
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    return *this;
  }
  Bytes& add(std::string_view text) {
    add(std::uint64_t{text.size()});
    bytes_.append(text);
    return *this;
  }
  Bytes& add(const Digest& digest) { return add(digest.low).add(digest.high); }
  Bytes& add(const OutputMark& mark) { return add(mark.length).add(mark.sequence).add(mark.next_job); }

  Digest hash() const {
    const XXH128_hash_t hash = XXH3_128bits(bytes_.data(), bytes_.size());
    return {hash.low64, hash.high64};
  }

 private:
  std::string bytes_;
};

char* put(char* to, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  return to + bytes.size();
}

std::string_view take(const char*& from, std::uint64_t size) {
  const std::string_view bytes(from, size);
  from += size;
  return bytes;
}

}  // namespace

std::string_view keep_name(Keep keep) {
  switch (keep) {
    case Keep::kAll:
      return "all";
    case Keep::kFailures:
      return "failures";
    case Keep::kSummary:
      return "summary";
  }
  return "all";
}

XXH128_hash_t append_record(const Outcome& outcome, std::string& records) {
  const RecordHead head{outcome.job,
                        outcome.queued_us,
                        outcome.duration_us,
                        outcome.attempt,
                        static_cast<std::uint32_t>(outcome.status),
                        static_cast<std::uint32_t>(outcome.input.size()),
                        static_cast<std::uint32_t>(outcome.worker.size()),
                        static_cast<std::uint32_t>(outcome.error_code.size()),
                        static_cast<std::uint32_t>(outcome.error_message.size()),
                        outcome.payload.size()};
  const std::size_t size = sizeof head + outcome.input.size() + outcome.worker.size() +
                           outcome.error_code.size() + outcome.error_message.size() + outcome.payload.size();
  const std::size_t offset = records.size();
  records.resize(offset + size);
  char* to = records.data() + offset;
  std::memcpy(to, &head, sizeof head);
  to = put(to + sizeof head, outcome.input);
  to = put(to, outcome.worker);
  to = put(to, outcome.error_code);
  to = put(to, outcome.error_message);
  put(to, outcome.payload);
  return XXH3_128bits(records.data() + offset, size);
}

Outcome read_record(const char* record) {
  RecordHead head;
  std::memcpy(&head, record, sizeof head);
  const char* from = record + sizeof head;
  Outcome outcome;
  outcome.job = head.job;
  outcome.queued_us = head.queued_us;
  outcome.duration_us = head.duration_us;
  outcome.attempt = head.attempt;
  outcome.status = static_cast<Status>(head.status);
  outcome.input = take(from, head.input_size);
  outcome.worker = take(from, head.worker_size);
  outcome.error_code = take(from, head.error_code_size);
  outcome.error_message = take(from, head.error_message_size);
  outcome.payload = take(from, head.payload_size);
  return outcome;
}

void coalesce(std::vector<CompletedSpan>& spans) {
  const auto by_job = [](const CompletedSpan& a, const CompletedSpan& b) {
    return a.jobs.first < b.jobs.first;
  };
  if (!std::is_sorted(spans.begin(), spans.end(), by_job)) std::sort(spans.begin(), spans.end(), by_job);
  std::size_t last = 0;
  for (std::size_t i = 1; i < spans.size(); ++i) {
    CompletedSpan& before = spans[last];
    const CompletedSpan& next = spans[i];
    if (before.jobs.end == next.jobs.first && before.status == next.status &&
        before.without_row == next.without_row) {
      before.jobs.end = next.jobs.end;
    } else {
      spans[++last] = next;
    }
  }
  if (!spans.empty()) spans.resize(last + 1);
}

Digest hash_run(const LedgerRun& run) {
  Bytes bytes;
  bytes.add(run.run_id).add(run.kind).add(run.spec).add(run.command).add(keep_name(run.keep));
  return bytes.add(run.created_at).hash();
}

Digest hash_books(const LedgerBooks& books) {
  const JobCounts& counts = books.counts;
  Bytes bytes;
  bytes.add(counts.submitted).add(counts.ok).add(counts.failed).add(counts.cancelled).add(counts.expired);
  return bytes.add(books.digest).add(books.state).add(books.aggregate).hash();
}

Digest hash_link(const Digest& previous, const CommitLink& link, std::span<const CompletedSpan> completed) {
  Bytes bytes;
  bytes.add(previous).add(link.sequence).add(link.kept_hash).add(link.books_hash);
  bytes.add(link.output).add(std::uint64_t{completed.size()});
  for (const CompletedSpan& span : completed) {
    bytes.add(span.jobs.first).add(span.jobs.size());
    bytes.add(static_cast<std::uint64_t>(span.status)).add(std::uint64_t{span.without_row});
  }
  return bytes.hash();
}

}  // namespace fantail
