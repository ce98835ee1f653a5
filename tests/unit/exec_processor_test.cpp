// Processes that end by themselves: what is told of them, and what they find.
#include <fcntl.h>
#include <sys/stat.h>

#include <csignal>
#include <fstream>

#include "tests/unit/exec_support.h"
#include "worker/processors/exec.h"
#include "worker/processors/processors.h"

namespace fantail {
namespace {

using ExecProcessor = ExecTest;

TEST_F(ExecProcessor, PutsTheInputIntoTheCommand) {
  set_command({"printf", "%s|", "<{}>", "{#}", "{%}"});
  const JobResult job = process({.input = "a b", .id = 41, .slot = 3});
  EXPECT_EQ(job.status, Status::kOk) << job.error_message;
  const proto::ExecResult result = result_of(job);
  EXPECT_EQ(result.stdout_head(), "<a b>|42|3|");
  EXPECT_EQ(result.stdout_bytes(), 11U);
  EXPECT_EQ(result.stderr_bytes(), 0U);
}

TEST_F(ExecProcessor, AnExitCodeIsAFailureThatSaysSo) {
  const JobResult job = process_shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "exit");
  EXPECT_EQ(job.error_message, "exit code 3");
  const proto::ExecResult result = result_of(job);
  EXPECT_EQ(result.exit_code(), 3U);
  EXPECT_EQ(result.signal(), 0U);
  EXPECT_EQ(result.stdout_head(), "out\n");
  EXPECT_EQ(result.stderr_head(), "err\n");
}

TEST_F(ExecProcessor, ASignalIsNamed) {
  const JobResult job = process_shell("echo before; kill -SEGV $$");
  EXPECT_EQ(job.error_code, "signal");
  EXPECT_EQ(job.error_message, "killed by SIGSEGV");
  EXPECT_EQ(result_of(job).signal(), static_cast<unsigned>(SIGSEGV));
  EXPECT_EQ(result_of(job).stdout_head(), "before\n");
}

TEST_F(ExecProcessor, SaysWhichCommandThereIsNot) {
  set_command({"no-such-command-here", "{}"});
  for (const char* name : {"no-such-command-here", "/no/such/command"}) {
    spec().set_command(0, name);
    const JobResult job = process({"x"});
    EXPECT_EQ(job.error_code, "not_found");
    EXPECT_EQ(job.error_message, std::string("command not found: ") + name);
    EXPECT_TRUE(job.payload.empty()) << "no process ran";
  }
}

TEST_F(ExecProcessor, SaysWhatCannotBeExecuted) {
  std::ofstream(path("data")) << "x";
  set_command({path("data")});
  EXPECT_EQ(process({"x"}).error_code, "not_executable");
  EXPECT_EQ(process({"x"}).error_message, "not executable: " + path("data"));
  spec().set_command(0, folder_);
  EXPECT_EQ(process({"x"}).error_code, "not_executable");
}

TEST_F(ExecProcessor, ScriptsNeedNoFirstLine) {
  std::ofstream(path("script")) << "echo script $1\n";
  ::chmod(path("script").c_str(), 0700);
  set_command({path("script"), "{}"});
  EXPECT_EQ(result_of(process({"x y"})).stdout_head(), "script x y\n");
  std::ofstream(path("script")) << "#!/no/such/interpreter\n";
  const JobResult job = process({"x"});
  EXPECT_EQ(job.error_code, "not_found");
  EXPECT_NE(job.error_message.find("interpreter"), std::string::npos);
}

TEST_F(ExecProcessor, LooksAgainForACommandThatMoved) {
  const std::string former = std::getenv("PATH");
  ::setenv("PATH", (path("one") + ":" + path("two") + ":" + former).c_str(), 1);
  for (const char* folder : {"one", "two"}) {
    std::filesystem::create_directory(path(folder));
    std::ofstream(path(folder) + "/moving") << "#!/bin/sh\necho " << folder << "\n";
    ::chmod((path(folder) + "/moving").c_str(), 0700);
  }
  set_command({"moving"});
  const auto processor = make_processor();
  EXPECT_EQ(result_of(processor->process({""}, StopToken())).stdout_head(), "one\n");
  std::filesystem::remove(path("one") + "/moving");
  EXPECT_EQ(result_of(processor->process({""}, StopToken())).stdout_head(), "two\n");
  ::setenv("PATH", former.c_str(), 1);
}

TEST_F(ExecProcessor, ANulByteIsNoArgument) {
  set_command({"echo", "{}"});
  EXPECT_EQ(process({std::string_view("a\0b", 3)}).error_code, "bad_input");
}

TEST_F(ExecProcessor, ArgumentsMayBeTooLong) {
  set_command({"true", "{}"});
  EXPECT_EQ(process({std::string(1 << 20, 'x')}).error_code, "arguments_too_long");
}

TEST_F(ExecProcessor, TheEnvironmentNamesTheJob) {
  ::setenv("FANTAIL_JOB", "of an outer run", 1);
  ::setenv("EXEC_TEST", "kept", 1);
  set_shell("echo $FANTAIL_RUN $FANTAIL_JOB $FANTAIL_ATTEMPT $EXEC_TEST");
  EXPECT_EQ(result_of(process({.input = "", .id = 7, .attempt = 2})).stdout_head(),
            run_text() + " 7 2 kept\n");
  ::unsetenv("FANTAIL_JOB");
}

TEST_F(ExecProcessor, ThereIsNothingToRead) {
  EXPECT_EQ(result_of(process_shell("cat; echo end")).stdout_head(), "end\n");
}

TEST_F(ExecProcessor, OnlyTheStandardDescriptorsAreOpen) {
  const int leaks = ::open("/dev/null", O_RDONLY);
  ASSERT_GE(leaks, 0);
  set_command({"{}", "/proc/self/fd"});
  EXPECT_EQ(result_of(process({"ls"})).stdout_head(), "0\n1\n2\n3\n") << "the fourth is the folder itself";
  ::close(leaks);
}

TEST_F(ExecProcessor, SignalsAreAsTheSystemSetsThem) {
  const auto former = std::signal(SIGPIPE, SIG_IGN);
  sigset_t blocked;
  sigset_t mask;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &mask);
  set_command({"{}", "-E", "^Sig(Blk|Ign)", "/proc/self/status"});
  EXPECT_EQ(result_of(process({"grep"})).stdout_head(),
            "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  ::pthread_sigmask(SIG_SETMASK, &mask, nullptr);
  std::signal(SIGPIPE, former);
}

TEST_F(ExecProcessor, EachJobHasAProcessGroup) {
  set_shell("echo $$; ps -o pgid= -p $$");
  const std::string out = result_of(process({""})).stdout_head();
  EXPECT_EQ(std::stoi(out), std::stoi(out.substr(out.find('\n')))) << out;
}

TEST_F(ExecProcessor, WhatIsLongerThanTheHeadIsCounted) {
  const proto::ExecResult result =
      result_of(process_shell("head -c 1000000 /dev/zero; head -c 65536 /dev/zero >&2"));
  EXPECT_EQ(result.stdout_head().size(), 65536U);
  EXPECT_EQ(result.stdout_bytes(), 1'000'000U);
  EXPECT_EQ(result.stderr_head().size(), 65536U);
  EXPECT_EQ(result.stderr_bytes(), 65536U);
}

TEST_F(ExecProcessor, OutputIsReadUntilNobodyHoldsIt) {
  EXPECT_EQ(result_of(process_shell("(sleep 0.3; echo late) & echo early")).stdout_head(), "early\nlate\n");
}

TEST_F(ExecProcessor, AProcessThatClosesItsOutputIsWaitedFor) {
  const JobResult job = process_shell("exec >&- 2>&-; sleep 0.2; exit 5");
  EXPECT_EQ(job.error_message, "exit code 5");
}

TEST_F(ExecProcessor, OneProcessorDoesManyJobs) {
  set_command({"echo", "{}"});
  const auto processor = make_processor();
  for (int job = 0; job < 100; ++job) {
    const std::string input = std::to_string(job);
    EXPECT_EQ(result_of(processor->process({input}, StopToken())).stdout_head(), input + "\n");
  }
  int descriptors = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd"))
    ++descriptors;
  EXPECT_LT(descriptors, 50) << "they are closed";
}

TEST(ExecKind, IsNotTakenOverANetworkUnlessNamed) {
  const std::vector<std::string> all = kind_names();
  EXPECT_NE(std::ranges::find(all, "exec"), all.end());
  EXPECT_EQ(usual_kinds(false), all);
  const std::vector<std::string> over_network = usual_kinds(true);
  EXPECT_EQ(std::ranges::find(over_network, "exec"), over_network.end());
  EXPECT_EQ(over_network.size(), all.size() - 2) << "map is the other one";

  proto::RunSpec run;
  run.mutable_kind()->mutable_exec();
  ProcessorSetting setting;
  EXPECT_NE(make_sync_processor(run, setting), nullptr);
  setting.kinds = over_network;
  EXPECT_EQ(make_sync_processor(run, setting), nullptr) << "whatever the ventilator sends";
}

}  // namespace
}  // namespace fantail
