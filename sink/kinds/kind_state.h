// The bytes of a saved aggregate: a proto::KindState, then its 64-bit XXH3 in big-endian order, so that no
// damage passes for an aggregate.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ledger.pb.h"

namespace fantail {

std::string seal_state(const proto::KindState& state);
std::optional<proto::KindState> open_state(std::string_view bytes);  // empty: damaged

}  // namespace fantail
