// Reads the file that lists the vendors of a price run (YAML). Knows no products and asks no vendor.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "kinds.pb.h"

namespace fantail {

// The value of an environment variable; empty if there is none.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

// The vendors in the order of the file, or one sentence with place, cause and way out. Values of environment
// variables never get into a sentence.
std::variant<std::vector<proto::Vendor>, std::string> read_vendors(const std::string& path,
                                                                   const Environment& environment);

}  // namespace fantail
