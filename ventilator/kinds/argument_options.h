// The flags of kinds that run a command, and the words behind them: CMD … ::: ARGUMENT …
#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "pipeline/instant.h"
#include "ventilator/kinds/exec_words.h"
#include "ventilator/sources/source.h"

namespace fantail {

class ArgumentOptions {
 public:
  // Adds the words, --input, --null and --grace. Returns the words' option.
  CLI::Option* add_to(CLI::App& app, const std::string& words_help, const std::string& grace_help);

  // The command and where its arguments come from: standard input where nothing else is named. Errors are
  // sentences.
  std::variant<ExecWords, std::string> read(const CLI::Option& words) const;
  std::variant<std::unique_ptr<Source>, std::string> open(std::vector<ArgumentList> lists) const;
  std::uint64_t grace_us() const;

 private:
  std::vector<std::string> words_;
  std::vector<std::string> input_;
  bool null_ = false;
  Duration grace_ = std::chrono::seconds(2);
};

}  // namespace fantail
