#include "worker/child/environment.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

constexpr std::string_view kRun = "FANTAIL_RUN=";
constexpr std::string_view kJob = "FANTAIL_JOB=";
constexpr std::string_view kAttempt = "FANTAIL_ATTEMPT=";
constexpr std::string_view kSlot = "FANTAIL_SLOT=";
constexpr std::string_view kStart = "FANTAIL_START=";
constexpr std::array kNames = {kRun, kJob, kAttempt, kSlot, kStart};

bool is_of_a_run(std::string_view variable) {
  return std::ranges::any_of(kNames,
                             [variable](std::string_view name) { return variable.starts_with(name); });
}

std::string variable(std::string_view name, std::uint64_t value) {
  return std::string(name) + std::to_string(value);
}

}  // namespace

ChildEnvironment::ChildEnvironment(std::string_view run) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!is_of_a_run(*variable)) inherited_.emplace_back(*variable);
  }
  mark_[0] = std::string(kRun).append(run);
  set_job(0, 0);
}

void ChildEnvironment::set_job(std::uint64_t job, std::uint32_t attempt) {
  set_mark(variable(kJob, job), variable(kAttempt, attempt));
}

void ChildEnvironment::set_slot(std::uint32_t slot, std::uint64_t start) {
  set_mark(variable(kSlot, slot), variable(kStart, start));
}

void ChildEnvironment::set_mark(std::string part, std::string number) {
  mark_[1] = std::move(part);
  mark_[2] = std::move(number);
  pointers_.clear();
  for (std::string& each : inherited_)
    pointers_.push_back(each.data());
  for (std::string& each : mark_)
    pointers_.push_back(each.data());
  pointers_.push_back(nullptr);
}

}  // namespace fantail
