#include "worker/child/environment.h"

#include <unistd.h>

#include <algorithm>

namespace fantail {

namespace {

constexpr std::array<std::string_view, 3> kNames = {"FANTAIL_RUN=", "FANTAIL_JOB=", "FANTAIL_ATTEMPT="};

bool names_a_job(std::string_view variable) {
  return std::ranges::any_of(kNames,
                             [variable](std::string_view name) { return variable.starts_with(name); });
}

}  // namespace

ChildEnvironment::ChildEnvironment(std::string_view run) {
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!names_a_job(*variable)) inherited_.emplace_back(*variable);
  }
  mark_[0] = std::string(kNames[0]).append(run);
  set_job(0, 0);
}

void ChildEnvironment::set_job(std::uint64_t job, std::uint32_t attempt) {
  mark_[1] = std::string(kNames[1]) + std::to_string(job);
  mark_[2] = std::string(kNames[2]) + std::to_string(attempt);
  pointers_.clear();
  for (std::string& variable : inherited_)
    pointers_.push_back(variable.data());
  for (std::string& variable : mark_)
    pointers_.push_back(variable.data());
  pointers_.push_back(nullptr);
}

}  // namespace fantail
