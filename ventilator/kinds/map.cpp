#include "pipeline/app/command_line.h"
#include "ventilator/kinds/argument_options.h"
#include "ventilator/kinds/kind_command.h"

namespace fantail {

namespace {

class MapCommand : public KindCommand {
 public:
  explicit MapCommand(CLI::App& parent) {
    app = parent.add_subcommand("map",
                                "Your function over many items, by one process per slot for all of them");
    words = arguments_.add_to(
        *app,
        "The function: a program that reads lines of JSON and answers each with one line of JSON, flushed. "
        "Then ::: and items, or :::: and files of them. An item that is JSON is that value, any other text a "
        "string; several sources of items make arrays",
        "A function that is stopped has so long between TERM and KILL [2s]");
    app->add_option("--count", count_, "Instead of items: the numbers from 0 to N - 1")->type_name("N");
    app->add_flag("--strings", strings_, "Every item is a string, also 12 or true");
    app->add_option(
           "--sum", sum_,
           "Add up this field of the results, exactly, for the summary and the report; . is the result "
           "itself, where that is a number")
        ->type_name("FIELD")
        ->allow_extra_args(false);
    app->footer(
        "Examples:\n  fantail run map -k -- jq -c --unbuffered '. * .' ::: 1 2 3\n"
        "  seq 1000 | fantail run map --sum . -- ./square.py\n"
        "  fantail run map --sum size -- jq -c --unbuffered '{size: length}' ::: *.log\n"
        "  fantail run map -- jq -c --unbuffered '.[0] * .[1]' ::: 1 2 3 ::: 10 20\n"
        "square.py, executable:\n  #!/usr/bin/env python3\n  import sys\n  for line in sys.stdin:\n"
        "      print(int(line) ** 2, flush=True)\n"
        "A function that ends fails the job it was at, for the reason that its last line of stderr tells, "
        "and "
        "is started anew.");
  }

  std::variant<RunRequest, std::string> make_request() override {
    RunRequest request;
    request.kind = "map";
    proto::MapSpec& spec = *request.spec.mutable_map();
    const bool counts = app->get_option("--count")->count() > 0;
    auto read = counts ? read_exec_words(words->results(), {}) : arguments_.read(*words);
    if (auto* error = std::get_if<std::string>(&read)) return *error;
    ExecWords& given = std::get<ExecWords>(read);
    if (given.command.empty() || given.command.front().empty())
      return "say which function: fantail run map -- ./square.py ::: 1 2 3";
    if (sum_.empty() && app->get_option("--sum")->count() > 0)
      return "--sum names no field: write the field's name, or . for the result itself";
    for (const std::string& word : given.command)
      spec.add_command(word);
    spec.set_arguments(static_cast<std::uint32_t>(given.lists.size()));
    spec.set_strings(strings_);
    spec.set_grace_us(arguments_.grace_us());
    spec.set_sum(sum_);
    if (counts) {
      if (!given.lists.empty() || app->get_option("--input")->count() > 0)
        return "--count takes the place of items: leave one of them out";
      spec.set_arguments(1);
      request.generated = GeneratedInputs{count_, 0};
      return request;
    }
    auto source = arguments_.open(std::move(given.lists));
    if (auto* error = std::get_if<std::string>(&source)) return *error;
    request.source = std::get<std::unique_ptr<Source>>(std::move(source));
    return request;
  }

 private:
  ArgumentOptions arguments_;
  std::uint64_t count_ = 0;
  bool strings_ = false;
  std::string sum_;
};

}  // namespace

std::unique_ptr<KindCommand> add_map_command(CLI::App& parent) {
  return std::make_unique<MapCommand>(parent);
}

}  // namespace fantail
