#include "ventilator/retry.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "pipeline/app/durable.h"
#include "pipeline/app/run_folders.h"
#include "pipeline/ulid.h"
#include "tests/support/spool_scene.h"
#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

constexpr const char* kOld = "01J00000000000000000000000";
constexpr const char* kNew = "01J00000000000000000000001";

proto::KindSpec echo() {
  proto::KindSpec spec;
  spec.mutable_echo();
  return spec;
}

class Retry : public testing::Test {
 protected:
  Retry() {
    EXPECT_FALSE(make_folder_durably(old_folder()));
    SpoolRun header = some_run();
    header.spec = echo().SerializeAsString();
    auto spool = Spool::create(old_folder(), header);
    Spool& old = std::get<Spool>(spool);
    for (int job = 0; job < 10; ++job)
      old.append("input " + std::to_string(job));
    old.append_generated(10'000, 0);
    old.close_input(true, 3);
    sync(old);
  }

  std::string old_folder() const { return run_folder_path(state_.path(), kOld); }
  std::string new_folder() const { return run_folder_path(state_.path(), kNew); }
  std::variant<RetryPlan, std::string> prepare(const RangeSet& ok, const proto::KindSpec& spec = echo()) {
    return prepare_retry(state_.path(), kOld, ok, kNew, retry_, spec);
  }
  std::size_t folders() const {
    const std::filesystem::directory_iterator entries(state_.path("runs"));
    return static_cast<std::size_t>(std::distance(begin(entries), end(entries)));
  }

  TemporaryFolder state_;
  RunCommand command_ = make_run_command({"echo"}, {}, "/");
  RunCommand retry_ = retry_command(command_);
};

TEST_F(Retry, HasTheInputsOfTheJobsThatAreNotOkFromItsBeginning) {
  RangeSet ok;
  ok.insert({0, 3});
  ok.insert({5, 9});
  ok.insert({11, 10'008});
  const auto plan = prepare(ok);
  ASSERT_TRUE(std::holds_alternative<RetryPlan>(plan)) << std::get<std::string>(plan);
  EXPECT_EQ(std::get<RetryPlan>(plan).retried, 6U);
  EXPECT_EQ(std::get<RetryPlan>(plan).submitted, 10'010U);
  auto run = open_run(state_.path(), retry_, kNew, echo());
  ASSERT_TRUE(std::holds_alternative<OpenedRun>(run)) << std::get<std::string>(run);
  const Spool& spool = std::get<OpenedRun>(run).spool;
  EXPECT_TRUE(spool.input_complete());
  EXPECT_EQ(spool.skipped(), 0U);
  EXPECT_EQ(spool.read({0, spool.size()}),
            (std::vector<std::string>{"input 3", "input 4", "input 9", "0", "9998", "9999"}));
  EXPECT_EQ(ulid_text(spool.run().run_id), kNew);
}

TEST_F(Retry, IsNotMadeWhereThereIsNothingToRetry) {
  RangeSet ok;
  ok.insert({0, 10'010});
  EXPECT_EQ(std::get<RetryPlan>(prepare(ok)).retried, 0U);
  EXPECT_EQ(folders(), 1U);
}

TEST_F(Retry, OfAnotherKindIsRefused) {
  proto::KindSpec files;
  files.mutable_files();
  EXPECT_TRUE(std::holds_alternative<std::string>(prepare({}, files)));
  EXPECT_EQ(folders(), 1U);
}

TEST_F(Retry, OfARunWhoseInputsAreGoneIsRefused) {
  std::filesystem::remove(old_folder() + "/spool");
  EXPECT_TRUE(std::holds_alternative<std::string>(prepare({})));
  EXPECT_EQ(folders(), 1U);
}

TEST_F(Retry, AndItsCommandDoNotTakeEachOthersRunsUp) {
  EXPECT_NE(retry_.identity, command_.identity);
  EXPECT_EQ(retry_.identity.size(), 16U);
  ASSERT_TRUE(std::holds_alternative<RetryPlan>(prepare({})));
  EXPECT_EQ(find_unfinished_run(state_.path(), command_), std::nullopt);
  EXPECT_EQ(find_unfinished_run(state_.path(), retry_), kNew);
  EXPECT_TRUE(std::holds_alternative<std::string>(open_run(state_.path(), command_, kNew, echo())));
}

TEST_F(Retry, WithoutItsInputsIsNotBegunFromTheCommandsInput) {
  EXPECT_TRUE(std::holds_alternative<std::string>(open_run(state_.path(), retry_, kNew, echo())));
  EXPECT_TRUE(std::holds_alternative<std::string>(open_run(state_.path(), retry_, "", echo())));
  EXPECT_FALSE(std::filesystem::exists(new_folder()));
}

TEST_F(Retry, WhosePreparationWasCutShortLeavesNothing) {
  ASSERT_FALSE(make_folder_durably(new_folder() + ".unready"));
  ASSERT_FALSE(write_command(new_folder() + ".unready", retry_));
  EXPECT_EQ(find_unfinished_run(state_.path(), retry_), std::nullopt);
  ASSERT_TRUE(std::holds_alternative<RetryPlan>(prepare({})));
  EXPECT_EQ(folders(), 2U);
  EXPECT_TRUE(belongs_to(new_folder(), retry_));
}

}  // namespace
}  // namespace fantail
