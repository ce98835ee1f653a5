// Which worker holds which jobs. Ranges, since a batch is dense: one entry a batch, split only where outcomes
// come in pieces.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/state_hash.h"

namespace fantail {

using WorkerId = std::string;  // 16 bytes: the ULID of one process incarnation

struct Lease {
  JobSpan jobs;
  WorkerId worker;
  std::uint64_t sequence = 0;  // of the lane message that carried them
  std::uint32_t attempt = 1;
  Instant at{};  // when it was given away, or found with the worker
};

class Leases {
 public:
  void add(const Lease& lease);
  // Takes the span's jobs out, whoever holds them; returns what was held.
  std::vector<Lease> take(JobSpan span);
  // Who holds the job; empty: nobody.
  WorkerId holder(JobId job) const;
  std::vector<Lease> of(const WorkerId& worker) const;
  std::vector<Lease> within(JobSpan span) const;  // those that hold some of these jobs, whole
  std::vector<Lease> all() const;
  bool empty() const { return leases_.empty(); }
  std::uint64_t jobs() const { return jobs_; }
  void hash(StateHash& hash) const;

 private:
  void put(const Lease& lease);

  std::map<JobId, Lease> leases_;               // by first job; disjoint
  std::map<WorkerId, std::set<JobId>> firsts_;  // of each worker's leases
  std::uint64_t jobs_ = 0;
};

}  // namespace fantail
