// The file of rows follows the ledger: what --keep-order writes, with next to no memory, across crashes.
#include "sink/run_recorder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <numeric>
#include <optional>
#include <random>

#include "pipeline/app/run_folders.h"
#include "pipeline/column.h"
#include "tests/support/recording_outboxes.h"
#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

const std::string kRunId(16, '\x01');
constexpr std::size_t kNoMemory = 1;

// A sink without its sockets: one life after the other over the same folder.
class RecorderScene {
 public:
  explicit RecorderScene(bool keep_order = true, std::size_t held_bytes_max = kNoMemory) {
    options_.format = "jsonl";
    options_.output = folder_.path("rows.jsonl");
    options_.keep_order = keep_order;
    output_.emplace(options_, held_bytes_max);
    EXPECT_EQ(output_->open(), std::nullopt);
    collector_.emplace(CollectorPolicy{}, now_);
    proto::VentilatorToSink message;
    message.set_run_id(kRunId);
    message.set_epoch(1);
    message.mutable_open()->set_protocol_version(1);
    message.mutable_open()->mutable_spec()->set_run_id(kRunId);
    message.mutable_open()->mutable_spec()->mutable_kind()->mutable_echo();
    auto made = RunRecorder::create(folder_.path("state"), message.open(), *output_, Keep::kAll);
    recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(made));
    collector_->on_ventilator(message, now_, *recorder_, outbox_);
    EXPECT_FALSE(recorder_->begin(*collector_->kind()));
    commit();
  }

  RunRecorder& recorder() { return *recorder_; }

  void bring(const std::vector<JobId>& jobs) {
    proto::Results results;
    results.set_run_id(kRunId);
    for (const JobId job : jobs) {
      results.add_jobs(job);
      append_to(*results.mutable_inputs(), "input " + std::to_string(job));
      append_to(*results.mutable_payloads(), std::string(job % 50 * 20, 'p'));
    }
    results.set_count(static_cast<std::uint32_t>(jobs.size()));
    collector_->on_results(results, now_, *recorder_);
  }

  // The ventilator gives them up, too many for a row each.
  void cancel(JobSpan jobs) {
    proto::VentilatorToSink message;
    message.set_run_id(kRunId);
    message.set_epoch(1);
    proto::RunSync& sync = *message.mutable_sync();
    sync.set_question(1);
    sync.set_spooled(100);
    sync.mutable_facts()->add_without_rows()->set_first(jobs.first);
    sync.mutable_facts()->mutable_without_rows(0)->set_count(jobs.size());
    sync.mutable_facts()->set_without_rows_status(proto::STATUS_CANCELLED);
    collector_->on_ventilator(message, now_, *recorder_, outbox_);
  }

  void commit() {
    now_ += std::chrono::seconds(2);  // so that each commit marks the output
    collector_->begin_commit();
    recorder_->begin_commit(*collector_, now_);
    recorder_->wait_for_commit();
    const auto committed = recorder_->take_committed();
    ASSERT_TRUE(committed);
    ASSERT_FALSE(committed->failure) << committed->failure->message;
    collector_->on_committed(now_, outbox_);
  }

  // In how many pieces.
  int catch_up() {
    int pieces = 0;
    for (; recorder_->behind(); ++pieces) {
      const auto failure = recorder_->catch_up(*collector_->kind());
      EXPECT_FALSE(failure) << failure->message;
      if (failure) break;
    }
    return pieces;
  }

  // What is not committed is lost, and whatever the file holds beyond the mark.
  void crash_and_restart(bool keep_order = true) {
    recorder_.reset();
    options_.keep_order = keep_order;
    output_.emplace(options_, kNoMemory);
    EXPECT_EQ(output_->open(), std::nullopt);
    collector_.emplace(CollectorPolicy{}, now_);
    const std::string folder = list_run_folders(folder_.path("state")).front().path;
    auto taken = RunRecorder::take_up(folder, std::move(std::get<RunLock>(lock_run(folder))), *output_);
    recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(taken));
    ASSERT_TRUE(collector_->restore(*recorder_->kept(), Duration{0}, now_));
    const auto failure = recorder_->refill(*collector_->kind());
    ASSERT_FALSE(failure) << failure->message;
  }

  std::string rows() {
    EXPECT_EQ(output_->write_rows(), std::nullopt);
    return file_content(folder_.path("rows.jsonl"));
  }

 private:
  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  OutputOptions options_;
  std::optional<RunOutput> output_;
  std::unique_ptr<RunRecorder> recorder_;
  std::optional<Collector> collector_;
  RecordingCollectorOutbox outbox_;
  Instant now_{std::chrono::seconds(1)};
};

std::vector<JobId> jobs_up_to(JobId end) {
  std::vector<JobId> jobs(end);
  std::iota(jobs.begin(), jobs.end(), JobId{0});
  return jobs;
}

// The rows of jobs 0 … end - 1 as they come when nothing has to wait.
std::string rows_in_order(JobId end) {
  RecorderScene scene(false);
  scene.bring(jobs_up_to(end));
  scene.commit();
  return scene.rows();
}

TEST(RunRecorder, ReadsRowsBackThatMemoryDoesNotHold) {
  RecorderScene scene;
  scene.bring({3, 1});
  scene.commit();
  EXPECT_FALSE(scene.recorder().behind());
  EXPECT_EQ(scene.rows(), "");
  scene.bring({0, 2});
  EXPECT_EQ(scene.rows(), rows_in_order(1));
  scene.commit();
  EXPECT_TRUE(scene.recorder().behind());
  scene.catch_up();
  EXPECT_EQ(scene.rows(), rows_in_order(4));
}

TEST(RunRecorder, ReadsNothingBackBeforeItsCommit) {
  RecorderScene scene;
  scene.bring({1});
  scene.bring({0});
  EXPECT_FALSE(scene.recorder().behind());
  scene.commit();
  EXPECT_TRUE(scene.recorder().behind());
  scene.catch_up();
  EXPECT_EQ(scene.rows(), rows_in_order(2));
}

TEST(RunRecorder, CatchesUpInPieces) {
  constexpr JobId kJobs = 6000;
  RecorderScene scene;
  std::vector<JobId> jobs = jobs_up_to(kJobs);
  std::rotate(jobs.begin(), jobs.begin() + 1, jobs.end());  // the first comes last
  scene.bring(jobs);
  scene.commit();
  const int pieces = scene.catch_up();
  EXPECT_GT(pieces, 2);
  EXPECT_TRUE(scene.rows() == rows_in_order(kJobs));
}

TEST(RunRecorder, PassesJobsThatHaveNoRow) {
  RecorderScene scene;
  scene.bring({7});
  scene.cancel({1, 7});
  scene.commit();
  scene.bring({0});
  scene.commit();
  scene.catch_up();
  scene.bring({8});
  const std::string rows = scene.rows();
  EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3);
  EXPECT_TRUE(rows.starts_with(rows_in_order(1)));
  EXPECT_LT(rows.find("input 7"), rows.find("input 8"));
}

TEST(RunRecorder, ShuffledRowsAndCrashesGiveTheSameFile) {
  const unsigned seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  constexpr JobId kJobs = 3000;
  const std::string expected = rows_in_order(kJobs);
  for (const std::size_t memory : {kNoMemory, std::size_t{100'000}, OrderedRows::kBytesMax}) {
    std::vector<JobId> open = jobs_up_to(kJobs);
    RecorderScene scene(true, memory);
    while (!open.empty()) {
      // Jobs end in another order than they began, not in any order.
      const std::size_t most = std::min<std::size_t>(open.size(), 600);
      std::shuffle(open.begin(), open.begin() + static_cast<std::ptrdiff_t>(most), random);
      const auto end = open.begin() + static_cast<std::ptrdiff_t>(1 + random() % most);
      scene.bring({open.begin(), end});
      if (random() % 4 == 0) {
        scene.crash_and_restart();  // they run again
        continue;
      }
      scene.commit();
      open.erase(open.begin(), end);
      if (random() % 2 == 0) scene.catch_up();
      if (random() % 4 == 0) scene.crash_and_restart();
    }
    scene.catch_up();
    EXPECT_TRUE(scene.rows() == expected) << "with " << memory << " bytes";
  }
}

TEST(RunRecorder, AnotherOrderAfterARestartIsAnotherFile) {
  for (const bool ordered_first : {true, false}) {
    RecorderScene scene(ordered_first);
    scene.bring({2, 1});
    scene.commit();
    scene.bring({0});
    scene.commit();
    scene.catch_up();
    scene.commit();
    scene.crash_and_restart(!ordered_first);
    scene.catch_up();
    std::string rows = scene.rows();
    if (!ordered_first) {
      EXPECT_EQ(rows, rows_in_order(3));
    } else {
      EXPECT_EQ(std::count(rows.begin(), rows.end(), '\n'), 3);
    }
  }
}

}  // namespace
}  // namespace fantail
