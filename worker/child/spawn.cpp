#include "worker/child/spawn.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>

namespace fantail {

namespace {

constexpr std::size_t kStackBytes = 32 << 10;
constexpr int kNeverBegan = 127;

// Shared by both processes while the parent waits.
struct Start {
  const SpawnRequest& request;
  int input;
  const std::vector<int>& ignored;
  pid_t parent;
  int error = 0;
};

// execve keeps what is ignored, and undoes what is handled.
std::vector<int> ignored_signals() {
  std::vector<int> ignored;
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) ignored.push_back(signal);
  }
  return ignored;
}

void reset_signals(const std::vector<int>& ignored) {
  struct sigaction action {};
  action.sa_handler = SIG_DFL;
  for (const int signal : ignored)
    ::sigaction(signal, &action, nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool set_up(const Start& start) {
  const SpawnRequest& request = start.request;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) return false;  // it died before the kernel knew
  const bool connected = ::dup2(start.input, STDIN_FILENO) >= 0 &&
                         ::dup2(request.output, STDOUT_FILENO) >= 0 &&
                         ::dup2(request.errors, STDERR_FILENO) >= 0;
  if (!connected) return false;
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  reset_signals(start.ignored);
  return true;
}

// In the child, on the parent's memory: system calls only.
int begin_program(void* argument) {
  Start& start = *static_cast<Start*>(argument);
  if (set_up(start)) ::execve(start.request.path, start.request.arguments, start.request.environment);
  start.error = errno;
  ::_exit(kNeverBegan);
}

}  // namespace

Spawner::Spawner()
    : nothing_(above_standard(FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)))),
      ignored_(ignored_signals()) {}

std::variant<SpawnedChild, int> Spawner::spawn(const SpawnRequest& request) const {
  alignas(std::max_align_t) std::array<std::byte, kStackBytes> stack;
  Start start{request, request.input >= 0 ? request.input : nothing_.get(), ignored_, ::getpid()};
  // A handler of this process must not run in the child, where it would find this thread's memory.
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &former);
  int exited = -1;
  const pid_t id = ::clone(begin_program, stack.data() + stack.size(),
                           CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, &start, &exited);
  const int error = id < 0 ? errno : start.error;
  ::pthread_sigmask(SIG_SETMASK, &former, nullptr);
  if (id < 0) return error;
  SpawnedChild child{id, FileDescriptor(exited)};
  if (error == 0) return child;
  ::waitpid(id, nullptr, 0);
  return error;
}

int wait_for(const SpawnedChild& child) {
  int status = 0;
  while (::waitpid(child.id, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

std::string shown_wait_status(int wait_status) {
  if (!WIFSIGNALED(wait_status)) return "exit code " + std::to_string(WEXITSTATUS(wait_status));
  const int signal = WTERMSIG(wait_status);
  const char* name = ::sigabbrev_np(signal);
  return "killed by " + (name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(signal));
}

FileDescriptor above_standard(FileDescriptor descriptor) {
  if (!descriptor.is_open() || descriptor.get() > STDERR_FILENO) return descriptor;
  return FileDescriptor(::fcntl(descriptor.get(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1));
}

}  // namespace fantail
