// The version of the messages in proto/messages.proto: peers of another version are turned away.
#pragma once

#include <cstdint>

namespace fantail {

inline constexpr std::uint32_t kProtocolVersion = 1;

}  // namespace fantail
