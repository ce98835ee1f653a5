#include "ventilator/sources/longest_first.h"

#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "pipeline/net/poller.h"

namespace fantail {
namespace {

// Enough that what comes behind a large file further ahead keeps the others busy.
constexpr std::size_t kLastInputs = 16384;
// Smaller files are done within milliseconds.
constexpr off_t kLargeBytes = off_t{8} << 20;
// On storage far away a look may take as long as a small file: the run is not to wait for it.
constexpr Duration kLookFor = std::chrono::milliseconds(100);

class LongestFirst : public Source {
 public:
  explicit LongestFirst(std::unique_ptr<Source> paths) : paths_(std::move(paths)) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override {
    if (!ended_) {
      const std::size_t before = inputs.size();
      auto answer = paths_->read(limit, inputs);
      remember(inputs, before);
      const auto* status = std::get_if<SourceStatus>(&answer);
      ended_ = status != nullptr && *status == SourceStatus::kEnd;
      if (!ended_) return answer;
      // Nobody is to wait for these because of the looks that follow.
      if (inputs.size() > before) return SourceStatus::kMore;
    }
    look();
    return SourceStatus::kEnd;
  }
  std::uint64_t skipped() const override { return paths_->skipped(); }
  std::vector<std::uint64_t> longest() const override { return longest_; }
  void interrupt() override {
    interrupted_.store(true, std::memory_order_relaxed);
    paths_->interrupt();
  }

 private:
  void remember(const std::vector<std::string>& inputs, std::size_t from);
  void look();

  std::unique_ptr<Source> paths_;
  std::vector<std::string> last_;  // a ring
  std::uint64_t count_ = 0;        // of all inputs
  bool ended_ = false;
  std::vector<std::uint64_t> longest_;
  std::atomic<bool> interrupted_{false};
};

void LongestFirst::remember(const std::vector<std::string>& inputs, std::size_t from) {
  for (std::size_t index = from; index < inputs.size(); ++index, ++count_) {
    if (last_.size() < kLastInputs) {
      last_.push_back(inputs[index]);
    } else {
      last_[count_ % kLastInputs] = inputs[index];
    }
  }
}

void LongestFirst::look() {
  std::vector<std::pair<off_t, std::uint64_t>> large;  // size, distance from the end
  const Instant until = steady_now() + kLookFor;
  for (std::uint64_t distance = 1; distance <= last_.size(); ++distance) {
    if (interrupted_.load(std::memory_order_relaxed) || steady_now() > until) break;
    struct stat status = {};
    const std::string& path = last_[(count_ - distance) % kLastInputs];
    if (::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size >= kLargeBytes)
      large.emplace_back(status.st_size, distance);
  }
  std::sort(large.rbegin(), large.rend());
  for (const auto& [size, distance] : large)
    longest_.push_back(distance);
}

}  // namespace

std::unique_ptr<Source> make_longest_first(std::unique_ptr<Source> paths) {
  return std::make_unique<LongestFirst>(std::move(paths));
}

}  // namespace fantail
