#include "worker/processors/echo.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <thread>

namespace fantail {

namespace {

constexpr std::chrono::microseconds kLookAtStop = std::chrono::milliseconds(20);
constexpr double kSleepSecondsMax = 86400;

class EchoProcessor : public SyncProcessor {
 public:
  EchoProcessor(const proto::EchoSpec& spec, double slowdown) : spec_(spec), slowdown_(slowdown) {}

  JobResult process(const SyncJob& job, const StopToken& stop) override {
    const std::string_view input = job.input;
    double seconds = static_cast<double>(spec_.sleep_us()) / 1e6;
    if (spec_.sleep_from_input()) {
      const auto [end, error] = std::from_chars(input.data(), input.data() + input.size(), seconds);
      if (error != std::errc() || end != input.data() + input.size() || !(seconds >= 0) ||
          seconds > kSleepSecondsMax) {
        return JobResult::failed("bad_input", "the line is no number of seconds");
      }
    }
    if (seconds == 0) return JobResult::ok({});
    using Clock = std::chrono::steady_clock;
    const auto until = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                          std::chrono::duration<double>(seconds * slowdown_));
    while (true) {
      if (stop.stop_requested()) return JobResult::stopped(stop.reason());
      const auto left = until - Clock::now();
      if (left <= Clock::duration::zero()) break;
      std::this_thread::sleep_for(std::min<Clock::duration>(left, kLookAtStop));
    }
    return JobResult::ok({});
  }

 private:
  proto::EchoSpec spec_;
  double slowdown_;
};

}  // namespace

std::unique_ptr<SyncProcessor> make_echo_processor(const proto::EchoSpec& spec, double slowdown) {
  return std::make_unique<EchoProcessor>(spec, slowdown);
}

}  // namespace fantail
