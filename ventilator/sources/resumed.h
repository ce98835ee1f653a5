// A source that goes on where a former life of the ventilator stopped reading: what was spooled then is read
// again and passed over.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ventilator/sources/source.h"

namespace fantail {

struct SpooledInputs {
  std::uint64_t count = 0;
  std::string hash;  // rolled over them, see spool_record.h
  std::string last;
};

// For lines, streams and lists: the first `count` inputs must be what they were, or it is an error.
std::unique_ptr<Source> make_resumed_source(std::unique_ptr<Source> source, SpooledInputs spooled);

// For a walk over these paths, in whose tree files may have come and gone: goes on behind the last input in
// the walk's order.
std::unique_ptr<Source> make_resumed_walk(std::unique_ptr<Source> source, std::vector<std::string> paths,
                                          SpooledInputs spooled);

}  // namespace fantail
