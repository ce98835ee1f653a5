#include "worker/child/descendants.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

namespace {

std::string read_file(const std::string& path) {
  std::string content;
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  char buffer[4096];
  while (file.is_open()) {
    const ssize_t got = ::read(file.get(), buffer, sizeof(buffer));
    if (got <= 0) break;
    content.append(buffer, static_cast<std::size_t>(got));
  }
  return content;
}

std::string file_of(pid_t id, const char* name) {
  return "/proc/" + std::to_string(id) + "/" + name;
}

std::optional<pid_t> parse_id(std::string_view text) {
  pid_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace

Descendants::Processes Descendants::read_processes() {
  Processes processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir("/proc"), ::closedir);
  while (const dirent* entry = folder ? ::readdir(folder.get()) : nullptr) {
    const std::optional<pid_t> id = parse_id(entry->d_name);
    if (!id) continue;
    // The second field is a name in brackets, which may hold anything.
    const std::string text = read_file(file_of(*id, "stat"));
    const std::size_t name_end = text.rfind(')');
    if (name_end == std::string::npos) continue;  // it is gone
    std::istringstream fields(text.substr(name_end + 1));
    Process process;
    char state = 0;
    std::string skipped;
    fields >> state >> process.parent >> process.group >> process.session;
    constexpr int kFieldsUntilStarted = 15;
    for (int field = 0; field < kFieldsUntilStarted; ++field)
      fields >> skipped;
    fields >> process.started;
    process.is_alive = state != 'Z' && state != 'X';
    processes.emplace(*id, process);
  }
  return processes;
}

bool Descendants::carries_mark(pid_t id, const Process& process) {
  const std::string environment = '\0' + read_file(file_of(id, "environ"));
  if (environment.size() == 1 && process.is_alive) uncertain_ = true;
  for (const std::string& variable : mark_) {
    if (environment.find('\0' + variable + '\0') == std::string::npos) return false;
  }
  return true;
}

bool Descendants::is_of_job(pid_t id, const Process& process, const Processes& found) {
  if (process.parent == job_ || process.group == job_ || process.session == job_) return true;
  if (found.contains(process.parent)) return true;
  const auto known = known_.find(id);
  if (known != known_.end() && known->second == process.started) return true;
  return process.parent == ::getpid() && carries_mark(id, process);
}

std::vector<Descendant> Descendants::find() {
  uncertain_ = false;
  Processes others = read_processes();
  others.erase(job_);
  Processes found;
  for (bool any_new = true; any_new;) {
    any_new = false;
    for (auto other = others.begin(); other != others.end();) {
      const auto candidate = other++;
      if (!is_of_job(candidate->first, candidate->second, found)) continue;
      found.insert(others.extract(candidate));
      any_new = true;
    }
  }
  std::vector<Descendant> alive;
  for (const auto& [id, process] : found) {
    known_[id] = process.started;
    if (process.is_alive) alive.push_back({id, process.group});
  }
  return alive;
}

}  // namespace fantail
