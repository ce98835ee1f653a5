#include "ventilator/proposals.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

TEST(Proposals, AJobThatIsGivenUpEndsAsItsLastAttemptDid) {
  proto::FailedAttempt attempt;
  attempt.set_job(7);
  attempt.set_attempt(3);
  attempt.set_code("timeout");
  attempt.set_message("no answer");
  attempt.set_duration_us(1234);
  const proto::Results results = make_proposal("run", attempt);
  EXPECT_EQ(results.first_job(), 7u);
  EXPECT_EQ(results.count(), 1u);
  EXPECT_EQ(results.statuses(0), proto::STATUS_FAILED);
  EXPECT_EQ(results.attempts(0), 3u);
  EXPECT_EQ(results.duration_us(0), 1234u);
  EXPECT_EQ(results.failures(0).code(), "timeout");
  EXPECT_EQ(results.failures(0).message(), "no answer");
}

}  // namespace
}  // namespace fantail
