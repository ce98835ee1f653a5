// The kind for tests and benchmarks: jobs that come back as they went out.
#include "pipeline/app/command_line.h"
#include "ventilator/kinds/kind_command.h"
#include "ventilator/sources/lines.h"

namespace fantail {

namespace {

class EchoCommand : public KindCommand {
 public:
  explicit EchoCommand(CLI::App& parent) {
    app = parent.add_subcommand("echo", "Returns its payload: for tests and benchmarks");
    app->group("");
    app->add_option("--count", count_, "How many jobs");
    add_byte_size(*app, "--payload", payload_bytes_, "Bytes of each job's payload, at least its number [0]");
    add_duration(*app, "--sleep", sleep_, "How long each job takes");
    app->add_option("--sleep-from", sleep_from_, "One job a line of FILE, each the seconds that it takes")
        ->type_name("FILE");
    app->add_option("--input", input_, "One job a line of FILE; - is stdin")->type_name("FILE");
  }

  std::variant<RunRequest, std::string> make_request() override {
    RunRequest request;
    request.kind = "echo";
    request.spec.mutable_echo()->set_sleep_us(static_cast<std::uint64_t>(sleep_.count()));
    request.spec.mutable_echo()->set_sleep_from_input(!sleep_from_.empty());
    const std::string& lines = sleep_from_.empty() ? input_ : sleep_from_;
    if (lines.empty()) {
      request.generated = GeneratedInputs{count_, payload_bytes_};
      return request;
    }
    auto source = make_line_source(lines, LineFormat{'\n', true});
    if (auto* error = std::get_if<SourceError>(&source)) return error->message;
    request.source = std::move(std::get<std::unique_ptr<Source>>(source));
    return request;
  }

 private:
  std::uint64_t count_ = 1;
  std::uint64_t payload_bytes_ = 0;
  Duration sleep_{0};
  std::string sleep_from_;
  std::string input_;
};

}  // namespace

std::unique_ptr<KindCommand> add_echo_command(CLI::App& parent) {
  return std::make_unique<EchoCommand>(parent);
}

}  // namespace fantail
