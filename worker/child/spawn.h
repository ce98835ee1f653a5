// Starts a program in a process group of its own that dies with the thread that starts it. Costs no copy of
// this process's memory: the thread waits, and shares it, until the program has begun.
#pragma once

#include <sys/types.h>

#include <string>
#include <variant>
#include <vector>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

struct SpawnRequest {
  const char* path = nullptr;
  char* const* arguments = nullptr;  // both end with a null pointer
  char* const* environment = nullptr;
  int input = -1;   // -1: there is nothing to read
  int output = -1;  // all above the standard ones
  int errors = -1;
};

// Has to be waited for.
struct SpawnedChild {
  pid_t id = 0;
  FileDescriptor exited;  // a pidfd: becomes readable
};

// Of one that has exited: how, as waitpid tells it. Its id may then name another process.
int wait_for(const SpawnedChild& child);
// "exit code 3", "killed by SIGSEGV".
std::string shown_wait_status(int wait_status);

class Spawner {
 public:
  Spawner();
  // Or the errno that says why the program did not begin. It begins with no other descriptors than
  // these and no signals ignored or blocked.
  std::variant<SpawnedChild, int> spawn(const SpawnRequest& request) const;

 private:
  FileDescriptor nothing_;    // to read
  std::vector<int> ignored_;  // signals, by this process
};

// The same descriptor above the standard ones, which a process that was started without them hands out.
FileDescriptor above_standard(FileDescriptor descriptor);

}  // namespace fantail
