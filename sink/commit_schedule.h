// When the sink commits and when it takes no results in. Pure: time is an argument.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "pipeline/instant.h"

namespace fantail {

class CommitSchedule {
 public:
  // So much and a message more waits for the next commit: its size bounds how long nobody else is listened
  // to.
  static constexpr std::uint64_t kStagedBytesMax = 4 << 20;

  // Whether what was recorded is to be committed now. One commit covers all that has come, since the storage
  // takes as long for one result as for thousands; it waits a while, and only while more keeps arriving or
  // the last commit has only just been, and there is room for it.
  bool due(bool more, bool full, Instant now) {
    if (since_ == Instant{}) since_ = now;
    return full || (now >= earliest_ && (!more || now >= since_ + kAtLatest));
  }
  // When the next commit may begin.
  Instant earliest() const { return earliest_; }
  void on_begin(Instant now) {
    since_ = Instant{};
    earliest_ = now + kApart;
  }

  // The storage had no space: nothing is committed or taken in for a while. True: the reason is news.
  bool hold(const std::string& reason, Instant now) {
    until_ = earliest_ = now + kRetry;
    return reasons_.insert(reason).second;
  }
  bool held(Instant now) const { return now < until_; }
  // It was so the last time: what comes now would have to wait with what could not be committed.
  bool failing() const { return !reasons_.empty(); }
  // It works. True: it did not before.
  bool release() { return !std::exchange(reasons_, {}).empty(); }

 private:
  static constexpr Duration kAtLatest = std::chrono::milliseconds(20);
  static constexpr Duration kApart = std::chrono::milliseconds(4);  // each costs as much as a short process
  static constexpr Duration kRetry = std::chrono::milliseconds(500);

  Instant since_{};  // something is uncommitted; Instant{}: nothing is
  Instant earliest_{};
  Instant until_{};
  std::set<std::string> reasons_;  // why it holds, as people were told
};

}  // namespace fantail
