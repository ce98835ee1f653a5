#include "sink/group_goals.h"

#include <utility>

namespace fantail {

void GroupGoals::on_outcome(const std::string& group, Status status) {
  std::uint64_t& ok = ok_[group];
  if (status != Status::kOk || ++ok != goal_) return;
  ++reached_;
  uncommitted_.push_back(group);
}

void GroupGoals::begin_commit() {
  committing_ = std::exchange(uncommitted_, {});
}

void GroupGoals::on_committed() {
  won_.insert(won_.end(), committing_.begin(), committing_.end());
  committing_.clear();
}

void GroupGoals::on_not_committed() {
  committing_.insert(committing_.end(), uncommitted_.begin(), uncommitted_.end());
  uncommitted_ = std::exchange(committing_, {});
}

std::vector<std::string> GroupGoals::unreached(std::size_t limit) const {
  std::vector<std::string> groups;
  for (auto group = ok_.begin(); group != ok_.end() && groups.size() < limit; ++group) {
    if (group->second < goal_) groups.push_back(group->first);
  }
  return groups;
}

void GroupGoals::save(proto::Books& books) const {
  for (const auto& [name, ok] : ok_) {
    proto::GroupCount& group = *books.add_groups();
    group.set_name(name);
    group.set_ok(ok);
  }
}

void GroupGoals::load(const proto::Books& books) {
  for (const proto::GroupCount& group : books.groups()) {
    ok_[group.name()] = group.ok();
    if (group.ok() < goal_) continue;
    ++reached_;
    won_.push_back(group.name());
  }
}

}  // namespace fantail
