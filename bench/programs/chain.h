// Four processes as fantail has them: one that sends jobs, two that answer each with the same bytes, one that
// counts the answers. Shared by the programs that bench/run compares with.
#pragma once

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <thread>

namespace bench {

constexpr int kWorkers = 2;
constexpr std::size_t kPayloadBytes = 64;
constexpr unsigned kGiveUpSeconds = 300;

[[noreturn]] inline void fail(const char* what) {
  std::fprintf(stderr, "bench: %s\n", what);
  std::_Exit(1);
}

inline void require(bool good, const char* what) {
  if (!good) fail(what);
}

inline std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// What the processes tell each other beside the chain: it costs the peer nothing.
class Chain {
 public:
  explicit Chain(std::uint64_t jobs) : jobs_(jobs) {
    void* memory = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED, "mmap");
    shared_ = new (memory) Shared;
  }

  std::uint64_t jobs() const { return jobs_; }

  // Workers and sink are ready when they would get what is sent now.
  void is_ready() { ++shared_->ready; }
  void wait_until_ready(int peers) {
    while (shared_->ready < peers)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  void first_send() { shared_->first_send_ns = now_ns(); }
  void received(std::uint64_t so_far) { shared_->received.store(so_far, std::memory_order_relaxed); }
  // For peers that drop what a slow reader has not taken: no more than so many are on their way.
  void hold(std::uint64_t sent, std::uint64_t most) {
    while (sent > shared_->received.load(std::memory_order_relaxed) + most)
      std::this_thread::sleep_for(std::chrono::microseconds(50));
  }

  // The last answer came.
  void print_rate(std::uint64_t bytes) const {
    const double seconds = static_cast<double>(now_ns() - shared_->first_send_ns) / 1e9;
    require(bytes == jobs_ * kPayloadBytes, "answers came that nobody asked for");
    std::printf("{\"rate\": %.0f, \"seconds\": %.6f}\n", static_cast<double>(jobs_) / seconds, seconds);
  }

  // Ventilate and work run in processes of their own and do not return; collect runs here.
  template <typename Ventilate, typename Work, typename Collect>
  void run(const Ventilate& ventilate, const Work& work, const Collect& collect) {
    std::signal(SIGCHLD, [](int) { std::_Exit(1); });  // it has said why
    alarm(kGiveUpSeconds);
    in_child(ventilate);
    for (int worker = 0; worker < kWorkers; ++worker)
      in_child(work);
    collect();
    std::fflush(stdout);
    std::signal(SIGCHLD, SIG_DFL);
    kill_children();
  }

  // For a peer whose answers go back to whoever asked.
  template <typename VentilateAndCollect, typename Work>
  void run_without_sink(const VentilateAndCollect& both, const Work& work) {
    run([] { pause(); }, work, both);
  }

 private:
  struct Shared {
    std::atomic<int> ready = 0;
    std::atomic<std::uint64_t> received = 0;
    std::int64_t first_send_ns = 0;
  };

  template <typename Body>
  void in_child(const Body& body) {
    const pid_t parent = getpid();
    const pid_t child = fork();
    require(child >= 0, "fork");
    if (child != 0) {
      children_[children_count_++] = child;
      return;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent) body();
    fail("a process of the chain ended");
  }

  void kill_children() {
    for (int index = 0; index < children_count_; ++index) {
      kill(children_[index], SIGKILL);
      waitpid(children_[index], nullptr, 0);
    }
  }

  std::uint64_t jobs_;
  Shared* shared_;
  pid_t children_[kWorkers + 1] = {};
  int children_count_ = 0;
};

}  // namespace bench
