// The environment of a process that works for a run: this process's own, and what names the run and the part
// of it that the process is for.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace fantail {

class ChildEnvironment {
 public:
  // Variables that no process for anything else has: FANTAIL_RUN=… and two more.
  using Mark = std::array<std::string, 3>;

  explicit ChildEnvironment(std::string_view run);
  ChildEnvironment(const ChildEnvironment&) = delete;
  ChildEnvironment& operator=(const ChildEnvironment&) = delete;

  // FANTAIL_JOB, FANTAIL_ATTEMPT: the process is for one job.
  void set_job(std::uint64_t job, std::uint32_t attempt);
  // FANTAIL_SLOT, FANTAIL_START: it is for all jobs of a slot, and the slot's so many-eth.
  void set_slot(std::uint32_t slot, std::uint64_t start);
  const Mark& mark() const { return mark_; }
  char* const* pointers() const { return pointers_.data(); }  // as execve takes them

 private:
  void set_mark(std::string part, std::string number);

  std::vector<std::string> inherited_;
  Mark mark_;
  std::vector<char*> pointers_;
};

}  // namespace fantail
