#include "worker/files/large_file.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <ctime>
#include <system_error>
#include <thread>

#include "worker/files/mapped_window.h"

namespace fantail {
namespace {

constexpr std::uint64_t kWindowBytes = 8ULL << 20;
// Small enough to be in the second-level cache still when the counter follows the hasher.
constexpr std::size_t kPieceBytes = 64ULL << 10;
// From here on a second thread is worth its start, also if it finds that no core is idle.
constexpr std::uint64_t kHelpWindows = 16;
// How far the helper may be ahead: a file that is larger than the page cache is to be read once.
constexpr std::uint64_t kAheadWindows = 4;

std::chrono::nanoseconds time_of(clockid_t clock) {
  timespec time = {};
  ::clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

// Whether the thread had a core for most of the time that the work took.
template <class Work>
bool runs_all_through(Work work) {
  const auto wall = time_of(CLOCK_MONOTONIC);
  const auto cpu = time_of(CLOCK_THREAD_CPUTIME_ID);
  work();
  return time_of(CLOCK_MONOTONIC) - wall < 2 * (time_of(CLOCK_THREAD_CPUTIME_ID) - cpu);
}

class LargeFile {
 public:
  LargeFile(int descriptor, std::uint64_t size, const StopToken& stop)
      : descriptor_(descriptor),
        size_(size),
        windows_(size / kWindowBytes + (size % kWindowBytes == 0 ? 0 : 1)),
        stop_(stop) {}

  LargeFileEnd read(Hasher& hasher, Counts& counts);

 private:
  // Whose the counts of this window are: the first caller's.
  bool take(std::uint64_t window);
  void advance(std::uint64_t window);
  void lose() { lost_ = true; }
  bool ends() const { return lost_ || stop_.stop_requested(); }
  bool begins_in_word(std::uint64_t window) const;
  // Hands all pieces of the window over, unless the reading ends before.
  template <class Use>
  void read_window(std::uint64_t window, Use use);
  void help(Counts& counts);

  int descriptor_;
  std::uint64_t size_;
  std::uint64_t windows_;
  const StopToken& stop_;
  // One more than the last window taken of those that share a place. Two that are looked at are never as far
  // apart.
  std::array<std::atomic<std::uint64_t>, 2 * kAheadWindows> taken_{};
  std::atomic<std::uint64_t> at_{0};  // the window that is being hashed
  std::atomic<bool> lost_{false};
};

LargeFileEnd LargeFile::read(Hasher& hasher, Counts& counts) {
  Counts helped;
  std::jthread helper;
  try {
    if (windows_ >= kHelpWindows) helper = std::jthread([&] { help(helped); });
  } catch (const std::system_error&) {
    // As many threads as there may be are busy: no core is idle.
  }
  Counts own;
  for (std::uint64_t window = 0; window < windows_ && !ends(); ++window) {
    advance(window);
    const bool counts_it = take(window);
    if (!counts_it && !hasher.hashes()) continue;
    if (counts_it) own.in_word = begins_in_word(window);
    read_window(window, [&](std::span<const std::byte> piece) {
      hasher.update(piece);
      if (counts_it) count(piece, own);
    });
  }
  advance(windows_);
  if (helper.joinable()) helper.join();
  counts.words = own.words + helped.words;
  counts.lines = own.lines + helped.lines;
  if (lost_) return LargeFileEnd::kLost;
  return stop_.stop_requested() ? LargeFileEnd::kStopped : LargeFileEnd::kRead;
}

bool LargeFile::take(std::uint64_t window) {
  std::atomic<std::uint64_t>& taken = taken_[window % taken_.size()];
  std::uint64_t seen = taken;
  while (seen <= window) {
    if (taken.compare_exchange_weak(seen, window + 1)) return true;
  }
  return false;  // also for a helper that slept while the reading went on far beyond this window
}

void LargeFile::advance(std::uint64_t window) {
  at_ = window;
  at_.notify_one();
}

bool LargeFile::begins_in_word(std::uint64_t window) const {
  std::byte before{' '};
  if (window > 0 && ::pread(descriptor_, &before, 1, static_cast<off_t>(window * kWindowBytes - 1)) != 1)
    return false;  // it was truncated: the window will tell
  Counts counts;
  count({&before, 1}, counts);
  return counts.in_word;
}

template <class Use>
void LargeFile::read_window(std::uint64_t window, Use use) {
  const std::uint64_t offset = window * kWindowBytes;
  const auto mapped = MappedWindow::map(descriptor_, offset, std::min(kWindowBytes, size_ - offset));
  if (!mapped) return lose();
  for (auto rest = mapped->bytes(); !rest.empty() && !ends();) {
    const auto piece = rest.first(std::min(kPieceBytes, rest.size()));
    use(piece);
    rest = rest.subspan(piece.size());
  }
  if (!mapped->intact()) lose();
}

// Goes on only while it has a core for itself: where all have files of their own, counting in the same pass
// as the hash is cheaper.
void LargeFile::help(Counts& counts) {
  bool core_is_free = true;
  for (std::uint64_t next = 1; core_is_free && !ends();) {
    const std::uint64_t at = at_;
    next = std::max(next, at + 1);
    if (next >= windows_) return;
    if (next > at + kAheadWindows) {
      at_.wait(at);
    } else if (const std::uint64_t window = next++; take(window)) {
      core_is_free = runs_all_through([&] {
        counts.in_word = begins_in_word(window);
        read_window(window, [&](std::span<const std::byte> piece) { count(piece, counts); });
      });
    }
  }
}

}  // namespace

LargeFileEnd read_large_file(int descriptor, std::uint64_t size, const StopToken& stop, Hasher& hasher,
                             Counts& counts) {
  return LargeFile(descriptor, size, stop).read(hasher, counts);
}

}  // namespace fantail
