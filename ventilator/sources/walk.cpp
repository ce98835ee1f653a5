#include "ventilator/sources/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

namespace fantail {
namespace {

struct DirectoryCloser {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using OpenDirectory = std::unique_ptr<DIR, DirectoryCloser>;

struct Entry {
  std::string name;
  bool is_directory = false;
};

// A directory on the current path. Its descriptor is closed already, so depth costs no descriptors.
struct Level {
  std::string path;
  std::vector<Entry> entries;  // those still to visit, last name first
};

std::string join(const std::string& directory, const std::string& name) {
  std::string path;
  path.reserve(directory.size() + 1 + name.size());
  path += directory;
  if (!path.ends_with('/')) path += '/';
  path += name;
  return path;
}

// Null with errno set when the path is no directory or cannot be read.
OpenDirectory open_directory(const std::string& path, bool follow) {
  // O_DIRECTORY refuses everything else before it is opened: a fifo does not block and a device notices
  // nothing.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | (follow ? 0 : O_NOFOLLOW));
  if (descriptor < 0) return nullptr;
  OpenDirectory directory(::fdopendir(descriptor));
  if (!directory) ::close(descriptor);
  return directory;
}

unsigned char type_of(DIR* directory, const dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return entry.d_type;
  struct stat status = {};
  // An entry that vanished is taken for a file: its row says so.
  if (::fstatat(::dirfd(directory), entry.d_name, &status, AT_SYMLINK_NOFOLLOW) != 0) return DT_REG;
  return static_cast<unsigned char>(IFTODT(status.st_mode));
}

bool is_own_or_parent(const std::string& name) {
  return name == "." || name == "..";
}

class WalkSource : public Source {
 public:
  explicit WalkSource(std::vector<std::string> paths) : paths_(std::move(paths)) {
    std::reverse(paths_.begin(), paths_.end());
  }

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override;
  std::uint64_t skipped() const override { return skipped_; }
  void interrupt() override { interrupted_.store(true, std::memory_order_relaxed); }

 private:
  std::optional<SourceError> step(std::vector<std::string>& inputs);
  std::optional<SourceError> enter(std::string path, bool follow, std::vector<std::string>& inputs);
  bool read_entries(DIR* directory, std::vector<Entry>& entries);
  bool interrupted() const { return interrupted_.load(std::memory_order_relaxed); }

  std::vector<std::string> paths_;  // arguments still to visit, last one first
  std::vector<Level> levels_;  // the stack of the walk; on the heap, so that depth is bounded by memory only
  std::uint64_t skipped_ = 0;
  std::atomic<bool> interrupted_{false};
};

std::variant<SourceStatus, SourceError> WalkSource::read(std::size_t limit,
                                                         std::vector<std::string>& inputs) {
  assert(limit > 0);
  const std::size_t full = inputs.size() + limit;
  while (inputs.size() < full) {
    if (interrupted() || (levels_.empty() && paths_.empty())) return SourceStatus::kEnd;
    if (auto error = step(inputs)) return std::move(*error);
  }
  return SourceStatus::kMore;
}

// Visits one entry, or leaves one directory, or takes the next argument; adds at most one input.
std::optional<SourceError> WalkSource::step(std::vector<std::string>& inputs) {
  if (levels_.empty()) {
    std::string path = std::move(paths_.back());
    paths_.pop_back();
    return enter(std::move(path), true, inputs);
  }
  Level& level = levels_.back();
  if (level.entries.empty()) {
    levels_.pop_back();
    return std::nullopt;
  }
  const Entry entry = std::move(level.entries.back());
  level.entries.pop_back();
  std::string path = join(level.path, entry.name);
  if (entry.is_directory) return enter(std::move(path), false, inputs);
  inputs.push_back(std::move(path));
  return std::nullopt;
}

std::optional<SourceError> WalkSource::enter(std::string path, bool follow,
                                             std::vector<std::string>& inputs) {
  const OpenDirectory directory = open_directory(path, follow);
  if (!directory) {
    const int error_number = errno;
    // These are this process's own troubles; a worker would answer with a row that hides them.
    if (error_number == EMFILE || error_number == ENFILE || error_number == ENOMEM) {
      return SourceError{"cannot read directory " + path + ": " +
                         std::generic_category().message(error_number) +
                         "; raise the limit (ulimit -n) or free memory and start again"};
    }
    inputs.push_back(std::move(path));
    return std::nullopt;
  }
  Level level;
  const bool complete = read_entries(directory.get(), level.entries);
  // A directory that can be read in part only is an error row, followed by what it showed.
  if (!complete) inputs.push_back(path);
  level.path = std::move(path);
  levels_.push_back(std::move(level));
  return std::nullopt;
}

bool WalkSource::read_entries(DIR* directory, std::vector<Entry>& entries) {
  bool complete = true;
  while (!interrupted()) {
    errno = 0;
    const dirent* found = ::readdir(directory);
    if (found == nullptr) {
      complete = errno == 0;
      break;
    }
    Entry entry{found->d_name, false};
    if (is_own_or_parent(entry.name)) continue;
    switch (type_of(directory, *found)) {
      case DT_DIR:
        entry.is_directory = true;
        [[fallthrough]];
      case DT_REG:
        entries.push_back(std::move(entry));
        break;
      case DT_LNK:
        break;
      default:
        ++skipped_;
        break;
    }
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& left, const Entry& right) { return left.name > right.name; });
  return complete;
}

}  // namespace

std::unique_ptr<Source> make_walk_source(std::vector<std::string> paths) {
  return std::make_unique<WalkSource>(std::move(paths));
}

}  // namespace fantail
