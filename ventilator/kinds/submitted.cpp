// A run that was submitted to a ventilator that serves: what kind it is, and where its inputs are, stands in
// its folder. Nobody types this.
#include "ventilator/sources/submitted.h"

#include "pipeline/app/command_line.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/serving/submission_folder.h"

namespace fantail {

namespace {

class SubmittedCommand : public KindCommand {
 public:
  explicit SubmittedCommand(CLI::App& parent) {
    app = parent.add_subcommand("submitted", "A run that was submitted");
    app->group("");
    app->add_option("folder", folder_)->required();
  }

  std::variant<RunRequest, std::string> make_request() override {
    const auto submitted = read_submission(folder_);
    if (!submitted) return folder_ + " has no submission that can be read: submit the run anew";
    RunRequest request;
    request.kind = submitted->kind();
    request.asynchronous = submitted->asynchronous();
    request.spec = submitted->spec();
    request.hosts.per_host = static_cast<std::uint32_t>(submitted->per_host());
    request.hosts.delay = Duration(static_cast<Duration::rep>(submitted->delay_us()));
    request.command = submitted->command();
    if (submitted->has_generated()) {
      request.generated =
          GeneratedInputs{submitted->generated().count(), submitted->generated().payload_bytes()};
      return request;
    }
    auto source = make_submitted_source(folder_);
    if (auto* error = std::get_if<SourceError>(&source)) return error->message;
    request.source = std::move(std::get<std::unique_ptr<Source>>(source));
    return request;
  }

 private:
  std::string folder_;
};

}  // namespace

std::unique_ptr<KindCommand> add_submitted_command(CLI::App& parent) {
  return std::make_unique<SubmittedCommand>(parent);
}

}  // namespace fantail
