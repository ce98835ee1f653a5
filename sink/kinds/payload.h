// How kinds read an outcome's payload. Payloads come from other machines: what does not parse counts as
// absent.
#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "sink/outcome.h"

namespace fantail {

// Whether the fields that come from the input are shown. A cancelled or an expired job has only null fields,
// however far it got: the digest of a run must not depend on that.
inline bool shows_fields(const Outcome& outcome) {
  return outcome.status == Status::kOk || outcome.status == Status::kFailed;
}

// Reads the payload into a message that may be reused; false, and an empty message, where there is none. An
// ok job always has one: a message whose fields are all zero is serialized to no bytes. A failed job may have
// one.
template <class Message>
bool read_payload(const Outcome& outcome, Message& message) {
  const bool expected =
      outcome.status == Status::kOk || (outcome.status == Status::kFailed && !outcome.payload.empty());
  constexpr auto kMaxSize = static_cast<std::size_t>(std::numeric_limits<int>::max());
  if (expected && outcome.payload.size() <= kMaxSize &&
      message.ParseFromArray(outcome.payload.data(), static_cast<int>(outcome.payload.size()))) {
    return true;
  }
  message.Clear();
  return false;
}

}  // namespace fantail
