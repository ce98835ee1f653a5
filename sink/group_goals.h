// Races in groups: a group is won by its first so many ok jobs, once they are durable. Knows no clock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "books.pb.h"
#include "pipeline/status.h"

namespace fantail {

class GroupGoals {
 public:
  void set_goal(std::uint64_t ok_jobs) { goal_ = ok_jobs; }  // of each group; 0: there are no races
  bool any() const { return goal_ > 0; }

  // Recorded; durable with the commit that begins next.
  void on_outcome(const std::string& group, Status status);
  void begin_commit();
  void on_committed();
  void on_not_committed();

  // In the order in which it became durable, which is another one in another life of the process.
  const std::vector<std::string>& won() const { return won_; }
  std::uint64_t groups() const { return ok_.size(); }  // with an outcome so far
  std::uint64_t reached() const { return reached_; }   // recorded
  // The first of the others, so many at most.
  std::vector<std::string> unreached(std::size_t limit) const;

  void save(proto::Books& books) const;
  void load(const proto::Books& books);  // requires: the goal is set

 private:
  std::uint64_t goal_ = 0;
  std::map<std::string, std::uint64_t> ok_;
  std::uint64_t reached_ = 0;
  std::vector<std::string> uncommitted_, committing_, won_;
};

}  // namespace fantail
