#include <iostream>

#include "pipeline/app/command_line.h"
#include "pipeline/exec_command.h"
#include "pipeline/job_line.h"
#include "ventilator/kinds/argument_options.h"
#include "ventilator/kinds/kind_command.h"

namespace fantail {

namespace {

constexpr std::size_t kShownAtOnce = 1024;

class ExecCommand : public KindCommand {
 public:
  explicit ExecCommand(CLI::App& parent) {
    app = parent.add_subcommand("exec", "A process per argument, as GNU parallel runs them");
    words = arguments_.add_to(
        *app,
        "The command, with {} {.} {/} {//} {/.} {1} {2.} {#} {%} for arguments; then ::: and arguments, or "
        ":::: and files of them. Without a command the arguments are commands",
        "A job that is stopped has so long between TERM and KILL [2s]");
    app->add_flag("--shell", shell_, "Give the command to /bin/sh -c, with its arguments quoted");
    app->add_flag("-n,--dry-run", dry_run_, "Only show the commands");
    app->footer(
        "Examples:\n  fantail run exec -- echo {} ::: a b c\n  fantail run exec -k -- gzip -dc {} ::: *.gz\n"
        "  fantail run exec -- convert {1} -resize {2} {1.}-{2}.png ::: *.jpg ::: 100 200\n"
        "  find . -name '*.c' -print0 | fantail run -j 8 exec -0 --shell -- 'grep -c main {} | sort'\n"
        "  fantail run exec --dry-run -- echo {1}-{2} ::: a b :::+ 1 2");
  }

  std::variant<RunRequest, std::string> make_request() override {
    auto read = arguments_.read(*words);
    if (auto* error = std::get_if<std::string>(&read)) return *error;
    ExecWords& given = std::get<ExecWords>(read);
    RunRequest request;
    request.kind = "exec";
    fill(*request.spec.mutable_exec(), given);
    if (auto error = check(request.spec.exec())) return *error;
    auto source = arguments_.open(std::move(given.lists));
    if (auto* error = std::get_if<std::string>(&source)) return *error;
    request.source = std::get<std::unique_ptr<Source>>(std::move(source));
    return request;
  }

  std::optional<int> act_instead(RunRequest& request) override {
    if (!dry_run_) return std::nullopt;
    JobId job = 0;
    std::vector<std::string> inputs;
    for (bool more = true; more; inputs.clear()) {
      const auto status = request.source->read(kShownAtOnce, inputs);
      for (const std::string& submitted : inputs) {
        const auto line = read_job(submitted, request.spec.input_format());
        if (const auto* error = std::get_if<std::string>(&line))
          return complain("fantail exec", *error + "\nthe line is: " + submitted);
        const std::string& input = std::get<JobLine>(line).input;
        std::cout << shown_command(expand_command(request.spec.exec(), input, {job++})) << '\n';
      }
      if (const auto* error = std::get_if<SourceError>(&status))
        return complain("fantail exec", error->message, kExitInfrastructure);
      more = std::get<SourceStatus>(status) == SourceStatus::kMore && std::cout.good();
    }
    std::cout << std::flush;
    return 0;
  }

 private:
  void fill(proto::ExecSpec& spec, const ExecWords& given) const {
    spec.set_arguments(static_cast<std::uint32_t>(given.lists.size()));
    spec.set_grace_us(arguments_.grace_us());
    // What a sink has no use for it drops.
    spec.set_whole_output(true);
    for (const std::string& word : given.command) {
      if (shell_) {
        spec.mutable_shell_command()->append(spec.shell_command().empty() ? "" : " ").append(word);
      } else {
        spec.add_command(word);
      }
    }
  }

  static std::optional<std::string> check(const proto::ExecSpec& spec) {
    if (spec.command_size() > 0 && spec.command(0).empty())
      return "the command has an empty name: write it behind --";
    const std::uint64_t named = arguments_named(spec);
    if (named <= spec.arguments()) return std::nullopt;
    return "the command names argument {" + std::to_string(named) + "}, and there " +
           (spec.arguments() == 1 ? "is 1 source" : "are " + std::to_string(spec.arguments()) + " sources") +
           " of arguments: add one with :::, or take the name out";
  }

  ArgumentOptions arguments_;
  bool shell_ = false;
  bool dry_run_ = false;
};

}  // namespace

std::unique_ptr<KindCommand> add_exec_command(CLI::App& parent) {
  return std::make_unique<ExecCommand>(parent);
}

}  // namespace fantail
