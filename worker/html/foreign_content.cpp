#include "worker/html/foreign_content.h"

#include <algorithm>

namespace fantail {

void ForeignContent::enter(TagRole role) {
  const bool begins_foreign = role == TagRole::kSvg || role == TagRole::kMath;
  const bool begins_html = active() && (role == TagRole::kForeignObject || role == TagRole::kDescription);
  if ((begins_foreign || begins_html) && borders_.size() < kMaxDepth) borders_.push_back(role);
}

bool ForeignContent::leave(TagRole role) {
  const auto innermost = std::find(borders_.rbegin(), borders_.rend(), role);
  if (innermost == borders_.rend()) return false;
  borders_.erase(std::prev(innermost.base()), borders_.end());
  return true;
}

void ForeignContent::leave_for_html() {
  while (active())
    borders_.pop_back();
}

}  // namespace fantail
