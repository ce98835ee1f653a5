// What a serving ventilator keeps of a run that was submitted to it, in STATE_DIR/served/RUN:
//   submission   how it was submitted, and where its ventilator listens
//   inputs       the stream of inputs as far as it came
//   inputs.end   once all inputs have come, or will never come
//   outcome      once it is over
// The run itself is in the hands of its own ventilator, which keeps what every ventilator keeps in
// STATE_DIR/runs/RUN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "pipeline/app/file_descriptor.h"
#include "serving.pb.h"

namespace fantail {

std::string inputs_path(const std::string& folder);
std::optional<proto::InputsEnd> read_inputs_end(const std::string& folder);
std::optional<proto::SubmittedRun> read_submission(const std::string& folder);

class SubmissionFolder {
 public:
  // Errors are sentences.
  static std::variant<SubmissionFolder, std::string> create(const std::string& state_dir,
                                                            const std::string& run,
                                                            const proto::SubmittedRun& submitted);
  static std::variant<SubmissionFolder, std::string> open(const std::string& state_dir,
                                                          const std::string& run);

  const std::string& path() const { return path_; }
  const proto::SubmittedRun& submitted() const { return submitted_; }
  std::uint64_t received() const { return received_; }
  bool complete() const { return complete_; }
  const std::optional<proto::RunOutcome>& outcome() const { return outcome_; }

  // Takes what follows what it has. An error: nothing was taken.
  std::optional<std::string> append(std::uint64_t offset, std::string_view inputs);
  // No more will come. Ignored while it lacks some of what comes before.
  std::optional<std::string> end(const proto::InputsEnd& end);
  std::optional<std::string> record_port(std::uint32_t port);
  std::optional<std::string> record_outcome(const proto::RunOutcome& outcome);
  void remove();

 private:
  SubmissionFolder(std::string path, proto::SubmittedRun submitted);

  std::string path_;
  proto::SubmittedRun submitted_;
  FileDescriptor inputs_;
  std::uint64_t received_ = 0;
  bool complete_ = false;
  std::optional<proto::RunOutcome> outcome_;
};

}  // namespace fantail
