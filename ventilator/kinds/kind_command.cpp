#include "ventilator/kinds/kind_command.h"

#include "pipeline/app/command_line.h"
#include "pipeline/app/command_words.h"

namespace fantail {

KindCommands add_kind_commands(CLI::App& parent) {
  static constexpr AddKindCommand kKinds[] = {
      add_files_command, add_urls_command, add_prices_command,
      add_exec_command,  add_map_command,  add_echo_command,
  };
  KindCommands commands;
  for (const AddKindCommand add : kKinds) {
    commands.push_back(add(parent));
    commands.back()->app->fallthrough();
  }
  return commands;
}

std::optional<int> parse_kind_command_line(CLI::App& app, const KindCommands& commands, int argc,
                                           char** argv) {
  for (const auto& command : commands) {
    const auto place = command->words == nullptr ? std::nullopt : find_words(app, *command->app, argc, argv);
    if (!place) continue;
    if (const auto code = parse_command_line(app, place->flags_end, argv)) return code;
    for (int index = place->begin; index < argc; ++index)
      command->words->add_result(argv[index]);
    return std::nullopt;
  }
  return parse_command_line(app, argc, argv);
}

}  // namespace fantail
