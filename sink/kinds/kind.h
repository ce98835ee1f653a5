// What the sink knows of one kind of job: its row fields, its exact mergeable aggregate, its summary line,
// its digest. Pure: no files, clocks or sockets. One kind, one file, one line in kind.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/job_line.h"
#include "sink/digest.h"
#include "sink/outcome.h"
#include "sink/row.h"
#include "sink/run_summary.h"

namespace fantail {

namespace proto {
class ExecSpec;
class KindSpec;
}  // namespace proto

class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::unique_ptr<Kind> clone() const = 0;
  virtual std::string_view name() const = 0;  // files, urls, prices, exec, map, echo

  // What was submitted, read: by itself it is the input.
  virtual JobLine job_of(std::string_view submitted) const {
    return std::get<JobLine>(read_job(submitted, proto::INPUT_PLAIN));
  }
  // Takes one outcome, of whatever status, into the aggregate. Called once per job. Returns the hash of job
  // id, status and the fields that do not depend on time, for the run's Digest.
  virtual XXH128_hash_t add(const Outcome& outcome) = 0;
  // The names of the kind's own columns, in order.
  virtual const std::vector<std::string_view>& field_names() const = 0;
  // The kind's own fields of one outcome, one per name. Those that come from the input stand in every ok or
  // failed row; all are null where the job was cancelled or expired.
  virtual std::vector<Field> fields(const Outcome& outcome) const = 0;
  // The aggregate object of the report. The run gives what no outcome tells, such as the skipped special
  // files.
  virtual nlohmann::ordered_json aggregate(const RunSummary& run) const = 0;

  // The aggregate so far, as bytes that the ledger stores: a kind that loaded them goes on as the one that
  // was saved would have. Equal aggregates give equal bytes. load is false, and changes nothing, where the
  // bytes are damaged or are those of another kind.
  virtual std::string save() const = 0;
  virtual bool load(std::string_view bytes) = 0;

  // The kind's words for the summary, see summary.h.
  virtual std::string item_noun(std::uint64_t count) const = 0;  // "file", "files"
  virtual std::string summary_totals() const = 0;  // "892 KiB, 48,234 words, 5,678 lines"; may be empty
  // What the processes of a run are told, where jobs are processes: their output may stand for rows.
  virtual const proto::ExecSpec* exec_spec() const { return nullptr; }

  virtual std::vector<std::string> summary_lines() const {
    return {};
  }  // below the first: "best: BestBuy at USD 62.45"
};

std::unique_ptr<Kind> make_kind(const proto::KindSpec& spec);  // null: this build does not know the kind

}  // namespace fantail
