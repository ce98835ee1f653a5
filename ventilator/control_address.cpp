#include "ventilator/control_address.h"

#include <fstream>

#include "pipeline/app/durable.h"

namespace fantail {

namespace {

std::string path_in(const std::string& folder) {
  return folder + "/control";
}

}  // namespace

std::optional<std::string> write_control_address(const std::string& folder, const Endpoint& endpoint) {
  return replace_file_durably(path_in(folder), endpoint.text() + "\n");
}

std::optional<Endpoint> read_control_address(const std::string& folder) {
  std::ifstream file(path_in(folder));
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  return parse_endpoint(line);
}

}  // namespace fantail
