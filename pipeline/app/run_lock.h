// The right to work in a run's folder: one process at a time has it. The kernel takes it back when the
// process ends, however it ends. FOLDER/lock stays there for good: were it removed, two processes could each
// hold a lock on a file of that name.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

class RunLock {
 public:
  // Who has it. 0: not known, because that process just started.
  struct Holder {
    int pid = 0;
  };

  // Does not wait. Errors are sentences. Requires: the folder exists.
  static std::variant<RunLock, Holder, std::string> take(const std::string& folder);

 private:
  explicit RunLock(FileDescriptor file) : file_(std::move(file)) {}

  FileDescriptor file_;  // closing it releases the lock
};

// The process that has the folder's lock, found without trying to take it: who looks is in nobody's way. A
// process on another machine, or in a container that does not show its processes here, is not found.
std::optional<int> lock_holder(const std::string& folder);

}  // namespace fantail
