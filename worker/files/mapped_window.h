// A part of a file in memory, without the copy that read() makes. Whoever truncates the file meanwhile takes
// pages away from under the reader, which the kernel tells by SIGBUS. This one survives it: zeros stand where
// the file was, and intact() says so.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fantail {

class MappedWindow {
 public:
  // Nothing where the file cannot be mapped. Requires: offset is a multiple of the page size, size > 0, and
  // the thread has no other window.
  static std::optional<MappedWindow> map(int descriptor, std::uint64_t offset, std::size_t size);

  MappedWindow(MappedWindow&& other) noexcept;
  MappedWindow& operator=(MappedWindow&&) = delete;
  ~MappedWindow();

  // To be read on the thread that mapped it.
  std::span<const std::byte> bytes() const { return bytes_; }
  // False: what was read so far is not all the file's.
  bool intact() const;

 private:
  explicit MappedWindow(std::span<const std::byte> bytes) : bytes_(bytes) {}

  std::span<const std::byte> bytes_;
};

}  // namespace fantail
