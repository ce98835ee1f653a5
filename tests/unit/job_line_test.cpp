#include "pipeline/job_line.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

JobLine read(std::string_view line) {
  auto job = parse_job_line(line);
  if (const auto* error = std::get_if<std::string>(&job)) ADD_FAILURE() << line << ": " << *error;
  return job.index() == 0 ? std::get<JobLine>(job) : JobLine{};
}

std::string error(std::string_view line) {
  const auto job = parse_job_line(line);
  return job.index() == 1 ? std::get<std::string>(job) : std::string();
}

TEST(JobLine, HasAnInputAndWhatIsAskedForItAlone) {
  const JobLine job = read(R"({"timeout": "1m30s", "input": "a b", "priority": -3, "group": "g"})");
  EXPECT_EQ(job.input, "a b");
  EXPECT_EQ(job.group, "g");
  EXPECT_EQ(job.priority, -3);
  EXPECT_EQ(job.timeout, std::chrono::seconds(90));
  const JobLine least = read(R"({"input": "", "group": null})");
  EXPECT_EQ(least.input, "");
  EXPECT_EQ(least.group, "");
  EXPECT_EQ(least.priority, 0);
  EXPECT_EQ(least.timeout.count(), 0);
  EXPECT_EQ(read(R"({"input": "x", "timeout": 0.25})").timeout, std::chrono::milliseconds(250));
}

TEST(JobLine, AValueThatIsNoStringIsItsText) {
  EXPECT_EQ(read(R"({"input": 7, "group": 12})").input, "7");
  EXPECT_EQ(read(R"({"input": 7, "group": 12})").group, "12");
  EXPECT_EQ(read(R"({"input": {"a": [1, 2.5, null, true]}})").input, R"({"a":[1,2.5,null,true]})");
}

TEST(JobLine, SaysWhatIsWrong) {
  for (const char* line : {"", "x", "7", "[]", "{}", R"({"group": "g"})", R"({"input": "a"} x)"})
    EXPECT_NE(error(line).find("no JSON object with an input"), std::string::npos) << line;
  EXPECT_NE(error(R"({"input": 1, "speed": 2})").find("no \"speed\""), std::string::npos);
  for (const char* priority : {"\"high\"", "1.5", "3000000000", "-3000000000", "null"}) {
    EXPECT_NE(
        error(R"({"input": 1, "priority": )" + std::string(priority) + "}").find("write a whole number"),
        std::string::npos)
        << priority;
  }
  for (const char* timeout : {"\"soon\"", "0", "-1", "null", "[]"}) {
    EXPECT_NE(error(R"({"input": 1, "timeout": )" + std::string(timeout) + "}").find("write \"5s\""),
              std::string::npos)
        << timeout;
  }
}

TEST(JobLine, DepthIsBounded) {
  const std::string deep = R"({"input": )" + std::string(1000000, '[');
  EXPECT_FALSE(error(deep).empty());
  const std::string closed = R"({"input": )" + std::string(100000, '[') + std::string(100000, ']') + "}";
  EXPECT_NE(error(closed).find("levels deep"), std::string::npos);
}

TEST(JobLine, PlainInputsAreWhatTheyAre) {
  EXPECT_EQ(std::get<JobLine>(read_job("{\"input\": 1}", proto::INPUT_PLAIN)).input, "{\"input\": 1}");
}

}  // namespace
}  // namespace fantail
