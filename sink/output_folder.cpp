#include "sink/output_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "pipeline/app/durable.h"
#include "pipeline/exec_command.h"
#include "pipeline/ulid.h"

namespace fantail {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{256} << 10;
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 60;
constexpr std::size_t kWorkerIdBytes = 16;
constexpr mode_t kFolderMode = 0700;
constexpr std::string_view kSettled = "done-";

std::size_t index_of(Stream stream) {
  return static_cast<std::size_t>(stream);
}

struct FileName {
  JobProcess process;
  Stream stream = Stream::kOutput;
  bool settled = false;
};

// Takes a number and the dash behind it.
template <typename Number>
bool take_number(std::string_view& text, Number& number) {
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  text.remove_prefix(static_cast<std::size_t>(read.ptr - text.data()));
  if (read.ec != std::errc{} || !text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<FileName> read_name(std::string_view text) {
  FileName name;
  name.settled = text.starts_with(kSettled);
  if (name.settled) text.remove_prefix(kSettled.size());
  if (!take_number(text, name.process.job) || !take_number(text, name.process.attempt)) return std::nullopt;
  if (!text.ends_with(".out") && !text.ends_with(".err")) return std::nullopt;
  name.stream = text.ends_with(".out") ? Stream::kOutput : Stream::kError;
  text.remove_suffix(4);
  name.process.worker = text;
  return name;
}

}  // namespace

std::optional<std::string> OutputFolder::Unsynced::sync() const {
  for (const auto& file : files_) {
    if (const int error_number = sync_file_content(file->get()))
      return "cannot write the output of jobs to " + folder_ + ": " + error_text(error_number);
  }
  if (made_) {
    if (auto error = sync_folder(std::filesystem::path(folder_).parent_path().string())) return error;
  }
  return folder_changed_ ? sync_folder(folder_) : std::nullopt;
}

std::optional<std::string> OutputFolder::open(const RangeSet& done) {
  std::error_code failure;
  made_ = std::filesystem::is_directory(path_, failure);
  if (!made_) return std::nullopt;
  for (const auto& entry : std::filesystem::directory_iterator(path_, failure)) {
    const auto name = read_name(entry.path().filename().string());
    if (!name) continue;
    Files& files = files_[name->process];
    files.settled = files.settled || name->settled;
    files.lengths[index_of(name->stream)] = entry.file_size(failure);
    if (failure) break;
  }
  if (failure) return "cannot read " + path_ + ": " + failure.message();
  // An outcome that was not committed will come again, perhaps from another process.
  for (auto& [process, files] : files_) {
    if (!files.settled || done.contains(process.job)) continue;
    rename(process, false);
    files.settled = false;
  }
  return fault_ ? std::optional(take_fault()->message) : std::nullopt;
}

bool OutputFolder::make() {
  if (made_) return true;
  if (mkdir(path_.c_str(), kFolderMode) != 0 && errno != EEXIST) return fail(path_, errno);
  made_ = true;
  made_now_ = true;
  return true;
}

std::string OutputFolder::file_path(const JobProcess& process, Stream stream, bool settled) const {
  std::string path = path_ + "/";
  if (settled) path += kSettled;
  path += std::to_string(process.job) + "-" + std::to_string(process.attempt) + "-" + process.worker;
  return path + (stream == Stream::kOutput ? ".out" : ".err");
}

bool OutputFolder::fail(const std::string& what, int error_number) {
  fault_ = Fault{error_number == ENOSPC || error_number == EDQUOT,
                 "cannot write " + what + ": " + error_text(error_number)};
  return false;
}

std::shared_ptr<FileDescriptor> OutputFolder::writable(const JobProcess& process, Stream stream) {
  auto& file = written_[{process, stream}];
  if (file) return file;
  const std::string path = file_path(process, stream, false);
  FileDescriptor opened(open_private_file(path, O_WRONLY | O_CREAT));
  if (!opened.is_open()) {
    fail(path, errno);
    written_.erase({process, stream});
    return nullptr;
  }
  folder_changed_ = true;
  file = std::make_shared<FileDescriptor>(std::move(opened));
  return file;
}

bool OutputFolder::write(const std::string& worker_id, const proto::JobOutput& piece) {
  // Whoever sends such a thing need not be asked for it again.
  if (worker_id.size() != kWorkerIdBytes || piece.offset() < kOutputHeadBytes || piece.offset() > kBytesMax)
    return true;
  const JobProcess process{piece.job(), piece.attempt(), ulid_text(worker_id)};
  const Stream stream = piece.to_stderr() ? Stream::kError : Stream::kOutput;
  const std::uint64_t offset = piece.offset() - kOutputHeadBytes;
  if (offset > length(process, stream)) return false;
  if (!make()) return false;
  const auto file = writable(process, stream);
  if (!file) return false;
  std::uint64_t& known = files_[process].lengths[index_of(stream)];
  if (const int error_number = write_all_at(file->get(), piece.data(), offset)) {
    // The next life goes by the file's length.
    truncate_file(file->get(), known);
    return fail(file_path(process, stream, false), error_number);
  }
  known = std::max(known, offset + piece.data().size());
  unsynced_bytes_ += piece.data().size();
  return true;
}

std::uint64_t OutputFolder::length(const JobProcess& process, Stream stream) const {
  const auto files = files_.find(process);
  return files == files_.end() ? 0 : files->second.lengths[index_of(stream)];
}

void OutputFolder::settle(const JobProcess& process) {
  const auto files = files_.find(process);
  if (files == files_.end()) return;
  rename(process, true);
  files->second.settled = true;
}

void OutputFolder::rename(const JobProcess& process, bool settled) {
  for (const Stream stream : {Stream::kOutput, Stream::kError}) {
    const std::string from = file_path(process, stream, !settled);
    const std::string to = file_path(process, stream, settled);
    if (std::rename(from.c_str(), to.c_str()) != 0 && errno != ENOENT) fail(to, errno);
  }
  folder_changed_ = true;
}

const std::pair<const JobProcess, OutputFolder::Files>* OutputFolder::settled(JobId job) const {
  for (auto each = files_.lower_bound({job, 0, {}}); each != files_.end() && each->first.job == job; ++each) {
    if (each->second.settled) return &*each;
  }
  return nullptr;
}

std::uint64_t OutputFolder::read(JobId job, Stream stream, std::uint64_t bytes,
                                 const std::function<void(std::string_view)>& take) const {
  const auto* process = settled(job);
  if (process == nullptr || bytes == 0) return 0;
  const FileDescriptor file(open_private_file(file_path(process->first, stream, true), O_RDONLY));
  std::string piece(kPieceBytes, '\0');
  std::uint64_t given = 0;
  while (file.is_open() && given < bytes) {
    const std::size_t wanted = std::min<std::uint64_t>(piece.size(), bytes - given);
    const ssize_t got = pread(file.get(), piece.data(), wanted, static_cast<off_t>(given));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    take(std::string_view(piece).substr(0, static_cast<std::size_t>(got)));
    given += static_cast<std::uint64_t>(got);
  }
  return given;
}

std::shared_ptr<const OutputFolder::Unsynced> OutputFolder::take_unsynced() {
  auto unsynced = std::make_shared<Unsynced>();
  unsynced->folder_ = path_;
  unsynced->made_ = std::exchange(made_now_, false);
  unsynced->folder_changed_ = std::exchange(folder_changed_, false);
  for (auto& [name, file] : std::exchange(written_, {}))
    unsynced->files_.push_back(std::move(file));
  unsynced_bytes_ = 0;
  return unsynced;
}

void OutputFolder::remove() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
  files_.clear();
}

}  // namespace fantail
