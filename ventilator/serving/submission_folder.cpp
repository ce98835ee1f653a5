#include "ventilator/serving/submission_folder.h"

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/app/durable.h"
#include "pipeline/app/served_folders.h"

namespace fantail {

namespace {

template <typename Message>
std::optional<Message> read_message(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  Message message;
  if (!message.ParseFromString(bytes)) return std::nullopt;
  return message;
}

}  // namespace

std::string inputs_path(const std::string& folder) {
  return folder + "/inputs";
}

std::optional<proto::InputsEnd> read_inputs_end(const std::string& folder) {
  return read_message<proto::InputsEnd>(folder + "/inputs.end");
}

std::optional<proto::SubmittedRun> read_submission(const std::string& folder) {
  return read_message<proto::SubmittedRun>(folder + "/submission");
}

SubmissionFolder::SubmissionFolder(std::string path, proto::SubmittedRun submitted)
    : path_(std::move(path)),
      submitted_(std::move(submitted)),
      inputs_(open_private_file(inputs_path(path_), O_RDWR | O_CREAT | O_CLOEXEC)),
      complete_(read_inputs_end(path_).has_value()),
      outcome_(read_message<proto::RunOutcome>(path_ + "/outcome")) {
  std::error_code failure;
  const std::uintmax_t size = std::filesystem::file_size(inputs_path(path_), failure);
  received_ = failure ? 0 : size;
}

std::variant<SubmissionFolder, std::string> SubmissionFolder::create(const std::string& state_dir,
                                                                     const std::string& run,
                                                                     const proto::SubmittedRun& submitted) {
  const std::string path = served_folder_path(state_dir, run);
  if (auto error = make_folder_durably(path)) return *error;
  // The submission is written last: what has none was never accepted.
  SubmissionFolder folder(path, submitted);
  if (!folder.inputs_.is_open()) return "cannot write " + inputs_path(path) + ": " + error_text(errno);
  if (auto error = replace_file_durably(path + "/submission", submitted.SerializeAsString())) return *error;
  return folder;
}

std::variant<SubmissionFolder, std::string> SubmissionFolder::open(const std::string& state_dir,
                                                                   const std::string& run) {
  const std::string path = served_folder_path(state_dir, run);
  auto submitted = read_submission(path);
  if (!submitted) return path + " has no submission that can be read: submit that run anew";
  SubmissionFolder folder(path, std::move(*submitted));
  if (!folder.inputs_.is_open()) return "cannot read " + inputs_path(path) + ": " + error_text(errno);
  return folder;
}

std::optional<std::string> SubmissionFolder::append(std::uint64_t offset, std::string_view inputs) {
  if (complete_ || offset > received_ || offset + inputs.size() <= received_) return std::nullopt;
  inputs.remove_prefix(received_ - offset);
  if (const int error = write_all_at(inputs_.get(), inputs, received_)) {
    truncate_file(inputs_.get(), received_);
    return "cannot write " + inputs_path(path_) + ": " + error_text(error);
  }
  received_ += inputs.size();
  return std::nullopt;
}

std::optional<std::string> SubmissionFolder::end(const proto::InputsEnd& end) {
  if (complete_ || end.bytes() != received_) return std::nullopt;
  if (const int error = sync_file(inputs_.get()))
    return "cannot write " + inputs_path(path_) + ": " + error_text(error);
  auto error = replace_file_durably(path_ + "/inputs.end", end.SerializeAsString());
  complete_ = !error;
  return error;
}

std::optional<std::string> SubmissionFolder::record_port(std::uint32_t port) {
  submitted_.set_port(port);
  return replace_file_durably(path_ + "/submission", submitted_.SerializeAsString());
}

std::optional<std::string> SubmissionFolder::record_outcome(const proto::RunOutcome& outcome) {
  outcome_ = outcome;
  std::error_code ignored;
  std::filesystem::resize_file(inputs_path(path_), 0, ignored);
  return replace_file_durably(path_ + "/outcome", outcome.SerializeAsString());
}

void SubmissionFolder::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace fantail
