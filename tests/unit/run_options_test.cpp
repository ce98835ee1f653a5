// What the flags of a run make of its policies.
#include "ventilator/run_options.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

// What is told workers and sink; throws what CLI11 does.
proto::RunPolicy run_policy_of(const std::string& flags) {
  CLI::App app;
  RunOptions options;
  add_run_options(app, options);
  app.parse(flags);
  return make_run_policy(options);
}

TEST(RunOptions, WithoutHedgeThereIsNone) {
  EXPECT_FALSE(run_policy_of("--retries 2").has_hedge());
}

TEST(RunOptions, HedgeSaysWhenAJobIsLate) {
  EXPECT_EQ(run_policy_of("--hedge p95").hedge().percent(), 0u);
  EXPECT_EQ(run_policy_of("--hedge 200%").hedge().percent(), 200u);
  EXPECT_EQ(run_policy_of("--hedge 200%").hedge().limit_percent(), 5u);
  EXPECT_EQ(run_policy_of("--hedge p95 --hedge-limit 20%").hedge().limit_percent(), 20u);
}

TEST(RunOptions, WhatIsNoPolicyIsRefused) {
  for (const char* flags : {"--hedge 100%", "--hedge p99", "--hedge 200", "--hedge 5s", "--hedge 4000000000%",
                            "--hedge p95 --hedge-limit 0%", "--hedge p95 --hedge-limit 101%",
                            "--hedge p95 --hedge-limit 5", "--timeout 50%", "--timeout 4000000000%"})
    EXPECT_THROW(run_policy_of(flags), CLI::ValidationError) << flags;
}

}  // namespace
}  // namespace fantail
