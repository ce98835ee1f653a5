// A folder of its own for a test, gone when the test is.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

namespace fantail {

class TemporaryFolder {
 public:
  // kMemory: where a sync costs nothing, for tests with tens of thousands of them.
  enum class Place { kDisk, kMemory };

  explicit TemporaryFolder(Place place = Place::kDisk) {
    if (place == Place::kMemory && make_in("/dev/shm/")) return;
    if (!make_in(testing::TempDir())) std::abort();
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  bool make_in(const std::string& folder) {
    path_ = folder + "fantail-XXXXXX";
    return mkdtemp(path_.data()) != nullptr;
  }

  std::string path_;
};

inline std::string file_content(const std::string& path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return {};
  std::string content(static_cast<std::size_t>(file.tellg()), '\0');
  file.seekg(0);
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  return content;
}

inline void write_file(const std::string& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
}

}  // namespace fantail
