#include "ventilator/run_opening.h"

#include <xxhash.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "pipeline/app/durable.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/ulid.h"

namespace fantail {

namespace {

constexpr const char* kCommandFile = "/command";

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// One argument of a command line, quoted where a shell would not take it as it stands.
std::string in_quotes(const std::string& argument) {
  constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=+:,./@%";
  if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos) return argument;
  std::string text = "'";
  for (const char letter : argument)
    text += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return text + "'";
}

std::variant<OpenedRun, std::string> begin_run(const std::string& state_dir, const RunCommand& command,
                                               const std::string& run, const proto::KindSpec& spec) {
  const std::string folder = run_folder_path(state_dir, run);
  if (auto error = make_folder_durably(folder)) return *error;
  auto lock = lock_run(folder);
  if (auto* error = std::get_if<std::string>(&lock)) return *error;
  if (auto error = write_command(folder, command)) return *error;
  SpoolRun header;
  header.run_id = parse_ulid(run).value_or(std::string());
  header.identity = command.identity;
  header.command = command.text;
  header.spec = spec.SerializeAsString();
  auto spool = Spool::create(folder, header);
  if (auto* error = std::get_if<std::string>(&spool)) return *error;
  return OpenedRun{std::move(std::get<RunLock>(lock)), std::move(std::get<Spool>(spool)), folder, false};
}

}  // namespace

RunCommand make_run_command(const std::vector<std::string>& kind_arguments,
                            const std::vector<std::string>& policy_arguments,
                            const std::string& working_directory) {
  RunCommand command;
  std::string bytes;
  for (const std::vector<std::string>* arguments : {&kind_arguments, &policy_arguments}) {
    for (const std::string& argument : *arguments) {
      if (!command.text.empty()) command.text += ' ';
      command.text += in_quotes(argument);
      bytes += argument + '\0';
    }
    bytes += '\0';
  }
  bytes += working_directory;
  XXH128_canonical_t hash;
  XXH128_canonicalFromHash(&hash, XXH3_128bits(bytes.data(), bytes.size()));
  command.identity.assign(reinterpret_cast<const char*>(hash.digest), sizeof hash.digest);
  return command;
}

RunCommand retry_command(const RunCommand& command) {
  RunCommand retry = make_run_command({"--retry-failed", command.identity}, {}, {});
  retry.text = "--retry-failed " + command.text;
  retry.retries = true;
  return retry;
}

std::optional<std::string> write_command(const std::string& folder, const RunCommand& command) {
  return replace_file_durably(folder + kCommandFile, command.identity + command.text);
}

bool belongs_to(const std::string& folder, const RunCommand& command) {
  return read_file(folder + kCommandFile).starts_with(command.identity);
}

std::optional<std::string> find_unfinished_run(const std::string& state_dir, const RunCommand& command) {
  for (const RunFolder& folder : list_run_folders(state_dir)) {
    if (!folder.finished && belongs_to(folder.path, command)) return folder.run;
  }
  return std::nullopt;
}

std::variant<OpenedRun, std::string> open_run(const std::string& state_dir, const RunCommand& command,
                                              const std::string& run, const proto::KindSpec& spec) {
  const std::string wanted =
      run.empty() ? find_unfinished_run(state_dir, command).value_or(std::string()) : run;
  const std::string folder = run_folder_path(state_dir, wanted);
  const bool begins = wanted.empty() || !std::filesystem::exists(folder + "/spool");
  if (begins && command.retries)
    return "there are no inputs for a retry in " + state_dir + ": begin it with `fantail run --retry-failed`";
  if (begins) {
    return begin_run(state_dir, command, wanted.empty() ? ulid_text(new_ulid()) : wanted, spec);
  }
  auto lock = lock_run(folder);
  if (auto* error = std::get_if<std::string>(&lock)) return *error;
  auto spool = Spool::open(folder);
  if (auto* error = std::get_if<std::string>(&spool)) return *error;
  if (std::get<Spool>(spool).run().identity != command.identity) {
    return "run " + wanted + " belongs to another command: " + std::get<Spool>(spool).run().command;
  }
  if (std::get<Spool>(spool).acknowledged()) {
    // It ended just before it could say so to those who look at folders.
    mark_run_finished(folder);
    if (run.empty()) return begin_run(state_dir, command, ulid_text(new_ulid()), spec);
  }
  return OpenedRun{std::move(std::get<RunLock>(lock)), std::move(std::get<Spool>(spool)), folder, true};
}

}  // namespace fantail
