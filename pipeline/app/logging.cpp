#include "pipeline/app/logging.h"

#include <spdlog/sinks/stdout_sinks.h>

namespace fantail {

Logger make_logger(const std::string& role, const std::string& level) {
  auto logger = std::make_shared<spdlog::logger>(role, std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%H:%M:%S.%e %n %l: %v");
  logger->set_level(spdlog::level::from_str(level == "warn" ? "warning" : level));
  logger->flush_on(spdlog::level::info);
  return logger;
}

}  // namespace fantail
