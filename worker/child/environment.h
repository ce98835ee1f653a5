// The environment of a job's process: this process's own, and what names the job.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

class ChildEnvironment {
 public:
  // Of the variables that name a job: FANTAIL_RUN=…, FANTAIL_JOB=…, FANTAIL_ATTEMPT=….
  using Mark = std::array<std::string, 3>;

  explicit ChildEnvironment(std::string_view run);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  void set_job(std::uint64_t job, std::uint32_t attempt);
  const Mark& mark() const { return mark_; }
  char* const* pointers() const { return pointers_.data(); }  // as execve takes them

 private:
  std::vector<std::string> inherited_;
  Mark mark_;
  std::vector<char*> pointers_;
};

}  // namespace fantail
