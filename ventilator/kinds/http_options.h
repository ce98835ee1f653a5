// The flags that every kind of HTTP job has.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "pipeline/instant.h"

namespace fantail {

struct HttpOptions {
  std::string user_agent;
  std::string ca_file;
  std::uint64_t max_body_bytes = 10 << 20;

  HttpOptions();
  void add_to(CLI::App& app);
  // The PEM text of --cacert, read here so that it need not exist on the workers. Empty optional: unreadable,
  // see error.
  std::optional<std::string> read_ca_certificates(std::string& error) const;
};

}  // namespace fantail
