// Processes of jobs, as a test sees them from outside.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

namespace fantail {

// Living processes whose environment holds all of these.
inline int count_processes_with(const std::vector<std::string>& variables) {
  int count = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", gone)) {
    if (entry.path().filename().string().find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "environ", std::ios::binary);
    const std::string environment((std::istreambuf_iterator<char>(file)), {});
    const bool has_all = std::ranges::all_of(variables, [&](const std::string& variable) {
      return environment.find(variable) != std::string::npos;
    });
    if (has_all) ++count;
  }
  return count;
}

// Whether it came true before the time was up.
template <typename Condition>
bool wait_until(Condition condition, std::chrono::milliseconds most = std::chrono::seconds(10)) {
  const auto until = std::chrono::steady_clock::now() + most;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace fantail
