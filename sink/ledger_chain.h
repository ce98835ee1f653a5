// What the ledger hashes: the bytes of an outcome, of a commit and of the books. Every commit's link covers
// the one before it, so nothing in the file changes unseen. docs/LEDGER.md has the layouts. Knows no files.
#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "pipeline/range_set.h"
#include "sink/digest.h"
#include "sink/outcome.h"
#include "sink/run_summary.h"

namespace fantail {

enum class Keep : std::uint8_t { kAll, kFailures /* what is not ok */, kSummary };

std::string_view keep_name(Keep keep);  // all, failures, summary

// What a ledger was made for.
struct LedgerRun {
  std::string run_id;  // ULID text
  std::string kind;    // its name
  std::string spec;    // serialized proto::KindSpec
  std::string command;
  Keep keep = Keep::kAll;
  std::uint64_t created_at = 0;  // seconds since 1970
};

// How far the output file agrees with the ledger.
struct OutputMark {
  std::uint64_t length = 0;    // bytes of the file that are synced …
  std::uint64_t sequence = 0;  // … and hold the rows of the commits up to here
  std::uint64_t next_job = 0;  // with --keep-order: rows of the jobs below are in them
  bool operator==(const OutputMark&) const = default;
};

// What a commit replaces as a whole.
struct LedgerBooks {
  JobCounts counts;
  Digest digest;
  std::string state;      // of the collector; opaque here
  std::string aggregate;  // Kind::save()
  OutputMark output;
};

// Jobs that one commit completed, all with the same status.
struct CompletedSpan {
  JobSpan jobs;
  Status status = Status::kOk;
  bool without_row = false;  // known by number only: no outcome, no row, whatever is kept
  bool operator==(const CompletedSpan&) const = default;
};

// The record of an outcome: this head, then the bytes of its five strings in the order of their sizes here.
struct RecordHead {
  std::uint64_t job;
  std::uint64_t queued_us;
  std::uint64_t duration_us;
  std::uint32_t attempt;
  std::uint32_t status;
  std::uint32_t input_size;
  std::uint32_t worker_size;
  std::uint32_t error_code_size;
  std::uint32_t error_message_size;
  std::uint64_t payload_size;
};
static_assert(std::endian::native == std::endian::little, "records are hashed as they lie in memory");
static_assert(std::has_unique_object_representations_v<RecordHead> && sizeof(RecordHead) == 56);

// Appends the record; returns its hash.
XXH128_hash_t append_record(const Outcome& outcome, std::string& records);
// The outcome whose record begins here. Requires: append_record wrote it.
Outcome read_record(const char* record);

// Sorts, and joins neighbours that ended alike. Adjacent spans may stay apart, overlapping ones do.
void coalesce(std::vector<CompletedSpan>& spans);

// One link of the chain, as the table `commits` holds it.
struct CommitLink {
  std::uint64_t sequence = 0;
  Digest kept_hash;  // sum of the hashes of its outcomes that have a row; the books have the digest of all
  Digest books_hash;
  OutputMark output;
  Digest chain;
};

Digest hash_run(const LedgerRun& run);  // the chain begins with it
Digest hash_books(const LedgerBooks& books);
Digest hash_link(const Digest& previous, const CommitLink& link, std::span<const CompletedSpan> completed);

}  // namespace fantail
