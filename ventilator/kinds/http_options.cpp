#include "ventilator/kinds/http_options.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "pipeline/app/command_line.h"

namespace fantail {

HttpOptions::HttpOptions() : user_agent(std::string("fantail/") + kVersion) {}

void HttpOptions::add_to(CLI::App& app) {
  add_byte_size(app, "--max-body", max_body_bytes, "Largest body, decompressed [10MiB]");
  app.add_option("--user-agent", user_agent, "What requests call themselves")->capture_default_str();
  app.add_option("--cacert", ca_file, "Trust the certificates in FILE (PEM) instead of the system's")
      ->type_name("FILE");
}

std::optional<std::string> HttpOptions::read_ca_certificates(std::string& error) const {
  if (ca_file.empty()) return std::string();
  std::ifstream file(ca_file, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) {
    error = "cannot read --cacert " + ca_file + ": " + std::strerror(errno);
    return std::nullopt;
  }
  return text.str();
}

}  // namespace fantail
