// How a job ended. The values are those of the wire (proto::Status).
#pragma once

#include <cstdint>

namespace fantail {

enum class Status : std::uint8_t { kOk = 1, kFailed = 2, kCancelled = 3, kExpired = 4 };

}  // namespace fantail
