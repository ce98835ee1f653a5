#include "worker/outstanding_output.h"

#include <algorithm>

namespace fantail {

std::uint64_t OutstandingOutput::of(JobId job) const {
  const auto found = bytes_.find(job);
  return found == bytes_.end() ? 0 : found->second;
}

void OutstandingOutput::add(JobId job, std::uint64_t bytes) {
  bytes_[job] += bytes;
  total_ += bytes;
}

void OutstandingOutput::remove(JobId job, std::uint64_t bytes) {
  const auto found = bytes_.find(job);
  if (found == bytes_.end()) return;
  const std::uint64_t removed = std::min(found->second, bytes);
  total_ -= removed;
  found->second -= removed;
  if (found->second == 0) bytes_.erase(found);
}

void OutstandingOutput::clear() {
  bytes_.clear();
  total_ = 0;
}

}  // namespace fantail
