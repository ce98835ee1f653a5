#include "ventilator/kinds/kind_command.h"

namespace fantail {

std::vector<std::unique_ptr<KindCommand>> add_kind_commands(CLI::App& parent) {
  static constexpr AddKindCommand kKinds[] = {
      add_files_command,
      add_urls_command,
      add_prices_command,
      add_echo_command,
  };
  std::vector<std::unique_ptr<KindCommand>> commands;
  for (const AddKindCommand add : kKinds) {
    commands.push_back(add(parent));
    commands.back()->app->fallthrough();
  }
  return commands;
}

}  // namespace fantail
