// One logger per process, to stderr, named after the role.
#pragma once

#include <spdlog/logger.h>

#include <memory>
#include <string>

namespace fantail {

using Logger = std::shared_ptr<spdlog::logger>;

Logger make_logger(const std::string& role, const std::string& level);

}  // namespace fantail
