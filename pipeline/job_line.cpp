#include "pipeline/job_line.h"

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "pipeline/duration.h"

namespace fantail {

namespace {

using Json = nlohmann::json;

// What is nested deeper would exhaust the stack of whoever walks it.
constexpr int kDepthMax = 64;
constexpr const char* kExample = R"({"input": "…", "group": "…", "priority": 1, "timeout": "5s"})";

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// A duration in words, or a number of seconds.
std::optional<Duration> timeout_of(const Json& value) {
  if (!value.is_string() && !value.is_number()) return std::nullopt;
  const auto timeout = parse_duration(text_of(value));
  return timeout && timeout->count() > 0 ? timeout : std::nullopt;
}

std::optional<std::int32_t> priority_of(const Json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT32_MAX) return std::nullopt;
  const auto priority = value.get<std::int64_t>();
  if (priority < INT32_MIN || priority > INT32_MAX) return std::nullopt;
  return static_cast<std::int32_t>(priority);
}

}  // namespace

std::variant<JobLine, std::string> parse_job_line(std::string_view line) {
  bool too_deep = false;
  const auto look = [&too_deep](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  const Json value = Json::parse(line, look, false);
  if (too_deep) return "the line nests more than " + std::to_string(kDepthMax) + " levels deep";
  if (!value.is_object() || !value.contains("input"))
    return std::string("the line is no JSON object with an input: write ") + kExample;
  JobLine job;
  for (const auto& [name, member] : value.items()) {
    if (name == "input") {
      job.input = text_of(member);
    } else if (name == "group") {
      if (!member.is_null()) job.group = text_of(member);
    } else if (name == "priority") {
      const auto priority = priority_of(member);
      if (!priority) return "the priority is " + text_of(member) + ": write a whole number";
      job.priority = *priority;
    } else if (name == "timeout") {
      const auto timeout = timeout_of(member);
      if (!timeout) return "the timeout is " + text_of(member) + R"(: write "5s", or a number of seconds)";
      job.timeout = *timeout;
    } else {
      return "a job has no \"" + name + "\": write " + kExample;
    }
  }
  return job;
}

std::string make_job_line(std::string_view input) {
  return Json{{"input", input}}.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::variant<JobLine, std::string> read_job(std::string_view submitted, proto::InputFormat format) {
  if (format == proto::INPUT_JOB_LINE) return parse_job_line(submitted);
  JobLine job;
  job.input = submitted;
  return job;
}

}  // namespace fantail
