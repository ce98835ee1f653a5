// When a run ends before all of its jobs are done, in GNU parallel's words: "now,fail=1", "soon,fail=3%",
// "now,success=1", "soon,done=50".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "messages.pb.h"

namespace fantail {

// Empty for anything else.
std::optional<proto::Halt> parse_halt(std::string_view text);
std::string format_halt(const proto::Halt& halt);

// How many outcomes bring the end; total: of all jobs. Empty: a share of what is not known yet, or no such
// policy.
std::optional<std::uint64_t> jobs_to_halt(const proto::Halt& halt, std::optional<std::uint64_t> total);

}  // namespace fantail
