// A processor of the kind exec with a run of its own, and what it answers.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "pipeline/ulid.h"
#include "tests/support/job_processes.h"
#include "worker/child/orphans.h"
#include "worker/processors/exec.h"

namespace fantail {

class ExecTest : public testing::Test {
 protected:
  ExecTest() {
    adopt_orphans();
    std::string pattern = testing::TempDir() + "exec.XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    run_.set_run_id(new_ulid());
    run_.mutable_kind()->mutable_exec()->set_arguments(1);
  }
  ~ExecTest() override {
    reap_orphans();
    std::filesystem::remove_all(folder_);
  }

  proto::ExecSpec& spec() { return *run_.mutable_kind()->mutable_exec(); }
  void set_command(const std::vector<std::string>& command) {
    for (const std::string& part : command)
      spec().add_command(part);
  }
  std::unique_ptr<SyncProcessor> make_processor() const { return make_exec_processor(run_); }
  JobResult process(const SyncJob& job) const { return make_processor()->process(job, StopToken()); }
  // Does nothing with the job's input, which else would be at its end.
  void set_shell(const std::string& text) { spec().set_shell_command(": {}; " + text); }
  JobResult process_shell(const std::string& text) {
    set_shell(text);
    return process({"input"});
  }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }
  std::string run_text() const { return ulid_text(run_.run_id()); }
  int processes() const { return count_processes_with({"FANTAIL_RUN=" + run_text()}); }
  int processes_of(JobId job) const {
    return count_processes_with({"FANTAIL_RUN=" + run_text(), "FANTAIL_JOB=" + std::to_string(job)});
  }

  static proto::ExecResult result_of(const JobResult& job) {
    proto::ExecResult result;
    EXPECT_TRUE(result.ParseFromString(job.payload));
    EXPECT_GT(result.started_at_us(), 1'600'000'000'000'000U);
    return result;
  }

  proto::RunSpec run_;
  std::string folder_;
};

}  // namespace fantail
