// What processes write, from the pieces that arrive to standard output and error: nothing is cut, mixed or
// lost, whatever gets lost on the way and whoever crashes.
#include <gtest/gtest.h>

#include <algorithm>

#include "pipeline/app/run_folders.h"
#include "pipeline/column.h"
#include "pipeline/exec_command.h"
#include "sink/run_recorder.h"
#include "tests/support/recording_outboxes.h"
#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

const std::string kRunId(16, '\x01');
const std::string kOne(16, '\x11');  // workers
const std::string kOther(16, '\x12');

std::string text_of(std::size_t size, char letter) {
  std::string text(size, letter);
  for (std::size_t index = 99; index < size; index += 100)
    text[index] = '\n';
  return text;
}

struct Written {
  std::string output;
  std::string errors;
};

// A sink without its sockets, that passes the output of processes on.
class ExecScene {
 public:
  explicit ExecScene(OutputOptions options = {}, std::uint32_t arguments = 1) : options_(std::move(options)) {
    options_.progress = "quiet";
    begin_life();
    proto::VentilatorToSink message;
    message.set_run_id(kRunId);
    message.set_epoch(1);
    message.mutable_open()->set_protocol_version(1);
    message.mutable_open()->mutable_spec()->set_run_id(kRunId);
    proto::ExecSpec& spec = *message.mutable_open()->mutable_spec()->mutable_kind()->mutable_exec();
    spec.add_command("echo");
    spec.set_arguments(arguments);
    auto made = RunRecorder::create(folder_.path("state"), message.open(), *output_, options_.keep);
    recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(made));
    collector_->on_ventilator(message, now_, *recorder_, outbox_);
    EXPECT_FALSE(recorder_->begin(*collector_->kind()));
    commit();
  }

  // What lies beyond the head, in pieces.
  std::vector<proto::Results> pieces(JobId job, std::uint32_t attempt, const std::string& worker,
                                     const std::string& text, bool to_stderr = false) {
    std::vector<proto::Results> messages;
    for (std::size_t offset = kOutputHeadBytes; offset < text.size(); offset += 50'000) {
      proto::Results message = message_of(worker);
      proto::JobOutput& piece = *message.add_outputs();
      piece.set_job(job);
      piece.set_attempt(attempt);
      piece.set_to_stderr(to_stderr);
      piece.set_offset(offset);
      piece.set_data(text.substr(offset, 50'000));
      messages.push_back(std::move(message));
    }
    return messages;
  }
  proto::Results result(JobId job, std::uint32_t attempt, const std::string& worker, const Written& written,
                        const std::string& input) {
    proto::ExecResult result;
    result.set_stdout_head(written.output.substr(0, kOutputHeadBytes));
    result.set_stderr_head(written.errors.substr(0, kOutputHeadBytes));
    result.set_stdout_bytes(written.output.size());
    result.set_stderr_bytes(written.errors.size());
    proto::Results message = message_of(worker);
    message.set_count(1);
    message.set_first_job(job);
    message.add_attempts(attempt);
    append_to(*message.mutable_inputs(), input);
    append_to(*message.mutable_payloads(), result.SerializeAsString());
    return message;
  }
  void bring(const proto::Results& message) { collector_->on_results(message, now_, *recorder_); }
  void bring(const std::vector<proto::Results>& messages) {
    for (const proto::Results& message : messages)
      bring(message);
  }
  // A job from its first piece to its result.
  void run(JobId job, const Written& written, const std::string& input) {
    bring(pieces(job, 1, kOne, written.output));
    bring(pieces(job, 1, kOne, written.errors, true));
    bring(result(job, 1, kOne, written, input));
  }

  void commit() {
    now_ += std::chrono::seconds(2);
    collector_->begin_commit();
    recorder_->begin_commit(*collector_, now_);
    recorder_->wait_for_commit();
    const auto committed = recorder_->take_committed();
    ASSERT_TRUE(committed);
    ASSERT_FALSE(committed->failure) << committed->failure->message;
    collector_->on_committed(now_, outbox_);
  }
  void crash_and_restart() {
    recorder_.reset();
    begin_life();
    const std::string folder = list_run_folders(folder_.path("state")).front().path;
    auto taken = RunRecorder::take_up(folder, std::move(std::get<RunLock>(lock_run(folder))), *output_);
    recorder_ = std::move(std::get<std::unique_ptr<RunRecorder>>(taken));
    ASSERT_TRUE(collector_->restore(*recorder_->kept(), Duration{0}, now_));
    const auto failure = recorder_->refill(*collector_->kind());
    ASSERT_FALSE(failure) << failure->message;
  }
  // All that can be written, and what was.
  Written written(const std::function<void()>& act) {
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    act();
    while (recorder_->behind())
      EXPECT_FALSE(recorder_->catch_up(*collector_->kind()));
    EXPECT_EQ(output_->write_rows(), std::nullopt);
    return {testing::internal::GetCapturedStdout(), testing::internal::GetCapturedStderr()};
  }
  std::size_t acknowledged() {
    std::size_t count = 0;
    while (!outbox_.to_worker.empty())
      count += static_cast<std::size_t>(outbox_.to_worker.take().message.durable().sequences_size());
    return count;
  }
  RunRecorder& recorder() { return *recorder_; }
  std::string path(const std::string& name) const { return folder_.path(name); }
  std::size_t files() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_.path("state")))
      count += entry.path().extension() == ".out" || entry.path().extension() == ".err" ? 1 : 0;
    return count;
  }

 private:
  void begin_life() {
    output_.emplace(options_, std::size_t{1});  // no row finds room in memory
    EXPECT_EQ(output_->open(), std::nullopt);
    collector_.emplace(CollectorPolicy{}, now_);
  }
  proto::Results message_of(const std::string& worker) {
    proto::Results message;
    message.set_run_id(kRunId);
    message.set_worker_id(worker);
    message.set_sequence(++sequence_);
    return message;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  OutputOptions options_;
  std::optional<RunOutput> output_;
  std::unique_ptr<RunRecorder> recorder_;
  std::optional<Collector> collector_;
  RecordingCollectorOutbox outbox_;
  Instant now_{std::chrono::seconds(100)};
  std::uint64_t sequence_ = 0;
};

TEST(ProcessOutput, ComesJobByJobInTheOrderOfTheirEnds) {
  ExecScene scene;
  const std::string binary("a\0b\xff\r\n", 6);
  const Written written = scene.written([&] {
    scene.run(1, {binary, "e1\n"}, "b");
    scene.run(0, {"zero", ""}, "a");
  });
  EXPECT_EQ(written.output, binary + "zero");
  EXPECT_EQ(written.errors, "e1\n");
}

TEST(ProcessOutput, NothingIsCutThatIsLongerThanAHead) {
  ExecScene scene;
  const std::string output = text_of(1'000'003, 'o');
  const std::string errors = text_of(200'000, 'e');
  const Written written = scene.written([&] { scene.run(0, {output, errors}, "a"); });
  EXPECT_TRUE(written.output == output);
  EXPECT_TRUE(written.errors == errors);
  EXPECT_EQ(scene.files(), 2u);
  scene.commit();
  scene.recorder().mark_finished();
  EXPECT_EQ(scene.files(), 0u);
}

TEST(ProcessOutput, KeepsTheOrderOfTheInput) {
  OutputOptions options;
  options.keep_order = true;
  ExecScene scene(options);
  const std::string output = text_of(300'000, 'x');
  const Written written = scene.written([&] {
    scene.run(2, {"two\n", "e2\n"}, "c");
    scene.run(1, {output, ""}, "b");
    scene.commit();
    scene.run(0, {"zero\n", "e0\n"}, "a");
    scene.commit();
  });
  EXPECT_TRUE(written.output == "zero\n" + output + "two\n");
  EXPECT_EQ(written.errors, "e0\ne2\n");
}

TEST(ProcessOutput, TagsEveryLineAsParallelDoes) {
  OutputOptions options;
  options.tag = true;
  ExecScene scene(options, 2);
  const Written written = scene.written([&] {
    scene.run(0, {"a\n\nb", "e\n"}, "t\tu");
    scene.run(1, {"", ""}, "silent\tone");
  });
  EXPECT_EQ(written.output, "t u\ta\nt u\t\nt u\tb");
  EXPECT_EQ(written.errors, "t u\te\n");
}

TEST(ProcessOutput, ATagStandsOnceInALineOfManyPieces) {
  OutputOptions options;
  options.tag = true;
  ExecScene scene(options);
  const std::string line(200'000, 'x');
  EXPECT_TRUE(scene.written([&] { scene.run(0, {line, ""}, "t"); }).output == "t\t" + line);
}

TEST(ProcessOutput, APieceThatIsMissingComesFirst) {
  ExecScene scene;
  const std::string output = text_of(200'000, 'x');
  const auto pieces = scene.pieces(0, 1, kOne, output);
  ASSERT_EQ(pieces.size(), 3u);
  scene.bring(pieces[0]);
  scene.bring(pieces[2]);
  scene.commit();
  EXPECT_EQ(scene.acknowledged(), 1u);
  const Written written = scene.written([&] {
    scene.bring(pieces[1]);
    scene.bring(pieces[1]);
    scene.bring(pieces[2]);
    scene.bring(scene.result(0, 1, kOne, {output, ""}, "a"));
    scene.commit();
  });
  EXPECT_TRUE(written.output == output);
  EXPECT_EQ(scene.acknowledged(), 4u);
}

TEST(ProcessOutput, WhatIsMissingIsTold) {
  ExecScene scene;
  const Written written = scene.written([&] {
    scene.bring(scene.result(0, 1, kOne, {text_of(kOutputHeadBytes + 10, 'x'), ""}, "a"));
  });
  EXPECT_EQ(written.output.size(), kOutputHeadBytes);
  EXPECT_EQ(written.errors,
            "fantail: job 1 (a) wrote 65,546 bytes to its standard output, and 10 of them are missing\n");
}

TEST(ProcessOutput, AnAttemptThatLostLeavesNothingInIt) {
  ExecScene scene;
  const std::string lost = text_of(200'000, 'l');
  const std::string won = text_of(150'000, 'w');
  const Written written = scene.written([&] {
    scene.bring(scene.pieces(0, 1, kOne, lost));
    scene.bring(scene.pieces(0, 1, kOther, won));
    scene.bring(scene.result(0, 1, kOther, {won, ""}, "a"));
    scene.bring(scene.pieces(0, 1, kOne, lost));
    scene.bring(scene.result(0, 1, kOne, {lost, ""}, "a"));
  });
  EXPECT_TRUE(written.output == won);
}

TEST(ProcessOutput, PiecesThatWereAcknowledgedOutliveACrash) {
  ExecScene scene;
  const std::string output = text_of(500'000, 'x');
  scene.bring(scene.pieces(0, 1, kOne, output));
  scene.commit();
  EXPECT_GT(scene.acknowledged(), 0u);
  const auto result = scene.result(0, 1, kOne, {output, ""}, "a");
  // The result is recorded, and not committed.
  scene.written([&] { scene.bring(result); });
  const Written written = scene.written([&] {
    scene.crash_and_restart();
    scene.bring(result);
    scene.commit();
  });
  EXPECT_TRUE(written.output == output);
}

TEST(ProcessOutput, WhatWaitsForItsTurnOutlivesACrash) {
  OutputOptions options;
  options.keep_order = true;
  ExecScene scene(options);
  const std::string output = text_of(500'000, 'x');
  scene.bring(scene.pieces(1, 2, kOther, text_of(70'000, 'l')));
  scene.run(1, {output, ""}, "b");
  scene.commit();
  const Written written = scene.written([&] {
    scene.crash_and_restart();
    scene.run(0, {"zero\n", ""}, "a");
    scene.commit();
  });
  EXPECT_TRUE(written.output == "zero\n" + output);
}

TEST(ProcessOutput, ForgedPiecesDoNothing) {
  ExecScene scene;
  proto::Results message = scene.pieces(0, 1, kOne, text_of(100'000, 'x')).front();
  message.mutable_outputs(0)->set_job(kJobIdsMax);
  scene.bring(message);
  message.mutable_outputs(0)->set_job(0);
  for (const std::uint64_t offset : {std::uint64_t{0}, std::uint64_t{1} << 40, UINT64_MAX}) {
    message.mutable_outputs(0)->set_offset(offset);
    scene.bring(message);
  }
  message.set_worker_id("../../x");
  message.mutable_outputs(0)->set_offset(kOutputHeadBytes);
  scene.bring(message);
  EXPECT_EQ(scene.files(), 0u);
}

TEST(ProcessOutput, RowsTakeItsPlaceWhereTheyAreAskedFor) {
  OutputOptions options;
  options.format = "jsonl";
  ExecScene scene(options);
  const Written written = scene.written([&] { scene.run(0, {text_of(100'000, 'x'), ""}, "a"); });
  EXPECT_TRUE(written.output.starts_with(R"({"job":0,"input":"a","kind":"exec","status":"ok")"));
  EXPECT_EQ(scene.files(), 0u);
}

TEST(ProcessOutput, AJobWithoutAProcessSaysWhy) {
  ExecScene scene;
  proto::Results message = scene.result(0, 1, kOne, {}, "a\x1b");
  message.clear_payloads();
  message.add_statuses(proto::STATUS_FAILED);
  message.add_failures()->set_code("not_found");
  message.mutable_failures(0)->set_message("there is no command x");
  const Written written = scene.written([&] { scene.bring(message); });
  EXPECT_EQ(written.errors, "fantail: job 1 (a\\x1b): not_found: there is no command x\n");
}

TEST(ProcessOutput, TheJoblogHasEachJobOnceAfterACrash) {
  OutputOptions options;
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  options.joblog = folder.path("joblog");
  ExecScene scene(options);
  scene.written([&] {
    scene.run(1, {"x", ""}, "b");
    scene.commit();
    scene.run(0, {"y", ""}, "a");
  });
  scene.written([&] {
    scene.crash_and_restart();
    scene.run(0, {"y", ""}, "a");
    scene.commit();
  });
  const std::string log = file_content(options.joblog);
  EXPECT_EQ(std::count(log.begin(), log.end(), '\n'), 3);
  EXPECT_TRUE(
      log.starts_with("Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n2\t"));
  EXPECT_TRUE(log.ends_with("\t1\t0\t0\techo a\n"));
}

}  // namespace
}  // namespace fantail
