// The output of processes that write more than their results carry.

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>

#include "pipeline/app/wake_event.h"
#include "tests/unit/exec_support.h"

namespace fantail {
namespace {

using std::chrono::milliseconds;

// Takes pieces, and lets go of them one by one and slowly.
class SlowSink : public OutputChannel {
 public:
  static constexpr std::size_t kBytesMax = 1 << 20;

  ~SlowSink() override {
    {
      const std::lock_guard lock(mutex_);
      quits_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }
  void acknowledge_each_after(milliseconds delay) {
    thread_ = std::thread([this, delay] {
      while (true) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return quits_ || !sizes_.empty(); });
        if (quits_) return;
        lock.unlock();
        std::this_thread::sleep_for(delay);
        lock.lock();
        outstanding_ -= sizes_.front();
        sizes_.pop_front();
        room_.signal();
      }
    });
  }

  bool has_room() override {
    room_.clear();
    const std::lock_guard lock(mutex_);
    return outstanding_ < kBytesMax;
  }
  int descriptor() const override { return room_.descriptor(); }
  void send(proto::JobOutput piece) override {
    {
      const std::lock_guard lock(mutex_);
      largest_ = std::max(largest_, piece.data().size());
      outstanding_ += piece.data().size();
      most_ = std::max(most_, outstanding_);
      sizes_.push_back(piece.data().size());
      std::string& text = texts_[piece.to_stderr()];
      const std::uint64_t expected = kHead + text.size();
      EXPECT_EQ(piece.offset(), expected);
      text += piece.data();
    }
    changed_.notify_all();
  }

  static constexpr std::uint64_t kHead = 65536;
  WakeEvent room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::size_t> sizes_;
  std::map<bool, std::string> texts_;
  std::size_t outstanding_ = 0;
  std::size_t most_ = 0;
  std::size_t largest_ = 0;
  bool quits_ = false;
  std::thread thread_;
};

class ExecOutput : public ExecTest {
 protected:
  ExecOutput() { spec().set_whole_output(true); }
  SlowSink sink_;
};

TEST_F(ExecOutput, GoesOnInPieces) {
  sink_.acknowledge_each_after(milliseconds(0));
  set_shell("seq 300000; seq 200000 >&2; exit 1");
  const JobResult job = process({.input = "", .output = &sink_});
  EXPECT_EQ(job.error_message, "exit code 1");
  const proto::ExecResult result = result_of(job);
  for (const auto& [is_stderr, last] : {std::pair(false, 300000), std::pair(true, 200000)}) {
    std::string expected;
    for (int number = 1; number <= last; ++number)
      expected += std::to_string(number) + "\n";
    const std::string head = is_stderr ? result.stderr_head() : result.stdout_head();
    EXPECT_EQ(head.size(), 65536U);
    EXPECT_TRUE(head + sink_.texts_[is_stderr] == expected);
    EXPECT_EQ(is_stderr ? result.stderr_bytes() : result.stdout_bytes(), expected.size());
  }
  EXPECT_LE(sink_.largest_, 256U << 10);
}

TEST_F(ExecOutput, IsNotSentWhereTheHeadHoldsIt) {
  set_shell("head -c 65536 /dev/zero");
  EXPECT_EQ(result_of(process({.input = "", .output = &sink_})).stdout_bytes(), 65536U);
  EXPECT_TRUE(sink_.sizes_.empty());
}

TEST_F(ExecOutput, AChildWaitsForASinkThatIsSlow) {
  sink_.acknowledge_each_after(milliseconds(2));
  set_shell("head -c 67108864 /dev/zero");
  const auto began = std::chrono::steady_clock::now();
  const proto::ExecResult result = result_of(process({.input = "", .output = &sink_}));
  EXPECT_EQ(result.stdout_bytes(), 67'108'864U);
  EXPECT_EQ(sink_.texts_[false].size(), 67'108'864U - 65536U);
  EXPECT_LE(sink_.most_, SlowSink::kBytesMax + (512U << 10)) << "it is bounded";
  EXPECT_GT(std::chrono::steady_clock::now() - began, milliseconds(400)) << "it waited";
}

TEST_F(ExecOutput, AChildThatWaitsCanBeStopped) {
  set_shell("exec head -c 67108864 /dev/zero");
  StopToken stop;
  JobResult job;
  std::thread slot([&] { job = make_processor()->process({.input = "", .output = &sink_}, stop); });
  EXPECT_TRUE(wait_until([&] {
    const std::lock_guard lock(sink_.mutex_);
    return sink_.outstanding_ >= SlowSink::kBytesMax;
  }));
  const auto stopped = std::chrono::steady_clock::now();
  stop.request_stop(StopReason::kCancelled);
  slot.join();
  EXPECT_EQ(job.status, Status::kCancelled);
  EXPECT_LT(std::chrono::steady_clock::now() - stopped, milliseconds(1500));
  EXPECT_EQ(processes(), 0);
}

TEST_F(ExecOutput, IsDroppedWhereNobodyWantsIt) {
  spec().set_whole_output(false);
  set_shell("head -c 67108864 /dev/zero");
  EXPECT_EQ(result_of(process({.input = "", .output = &sink_})).stdout_bytes(), 67'108'864U);
  EXPECT_TRUE(sink_.sizes_.empty());
}

}  // namespace
}  // namespace fantail
