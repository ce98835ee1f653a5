#include "pipeline/app/command_words.h"

#include <string>
#include <string_view>

namespace fantail {

namespace {

const CLI::Option* find_option(const CLI::App& app, const CLI::App* chosen, const std::string& name) {
  const CLI::Option* option = chosen == nullptr ? nullptr : chosen->get_option_no_throw(name);
  return option != nullptr ? option : app.get_option_no_throw(name);
}

// Whether the value of the flag, or of the last of a cluster of flags, is the next argument.
bool wants_next(const CLI::App& app, const CLI::App* chosen, std::string_view argument) {
  if (argument.starts_with("--")) {
    if (argument.find('=') != std::string_view::npos) return false;
    const CLI::Option* option = find_option(app, chosen, std::string(argument));
    return option != nullptr && option->get_items_expected_min() > 0;
  }
  for (std::size_t index = 1; index < argument.size(); ++index) {
    const CLI::Option* option = find_option(app, chosen, std::string("-") + argument[index]);
    if (option == nullptr) return false;
    if (option->get_items_expected_min() > 0) return index + 1 == argument.size();
  }
  return false;
}

bool is_subcommand(const CLI::App& app, std::string_view name) {
  return !app.get_subcommands([name](const CLI::App* each) { return each->get_name() == name; }).empty();
}

}  // namespace

std::optional<WordsPlace> find_words(const CLI::App& app, const CLI::App& subcommand, int argc,
                                     const char* const* argv) {
  const CLI::App* chosen = nullptr;
  for (int index = 1; index < argc; ++index) {
    const std::string_view argument = argv[index];
    if (argument == "--") {
      if (chosen == nullptr) return std::nullopt;
      return WordsPlace{index, index + 1};
    }
    if (argument.starts_with('-') && argument.size() > 1) {
      if (wants_next(app, chosen, argument)) ++index;
      continue;
    }
    if (chosen != nullptr) return WordsPlace{index, index};
    if (argument == subcommand.get_name()) {
      chosen = &subcommand;
    } else if (is_subcommand(app, argument)) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace fantail
