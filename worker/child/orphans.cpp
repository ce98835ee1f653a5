#include "worker/child/orphans.h"

#include <sys/prctl.h>
#include <sys/wait.h>

#include <csignal>

namespace fantail {

void adopt_orphans() {
  // Ignored by who started this process, it would make exit codes vanish.
  std::signal(SIGCHLD, SIG_DFL);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void reap_orphans() {
  while (::waitpid(-1, nullptr, WNOHANG | __WNOTHREAD) > 0) {
  }
}

}  // namespace fantail
