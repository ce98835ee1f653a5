// The kind whose jobs are calls of a function: what it answered, and the total of one field of that.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_map_kind(const proto::MapSpec& spec);

}  // namespace fantail
