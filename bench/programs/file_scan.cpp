// What files cost when nothing is between them and the work: finds the files of a folder, and threads that
// share a counter take one after the other for size, hash, words and lines. Counts and hashes by the code of
// fantail's workers; large files are mapped as they stand, so a file that is truncated meanwhile kills it.
// Prints one JSON object.
//   bench-file-scan FOLDER HASH THREADS
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "worker/files/counting.h"
#include "worker/files/hashing.h"

namespace {

constexpr std::size_t kMappedBytes = 8 << 20;
constexpr std::size_t kPieceBytes = 64 << 10;

[[noreturn]] void fail(const std::string& what) {
  std::perror(("bench-file-scan: " + what).c_str());
  std::exit(1);
}

struct Totals {
  std::uint64_t bytes = 0;
  fantail::Counts counts;
  unsigned hashes = 0;  // so that nothing is left out as unused
};

void scan(const std::string& path, fantail::Hasher& hasher, std::vector<std::byte>& buffer, Totals& totals) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  if (descriptor < 0 || ::fstat(descriptor, &status) != 0) fail(path);
  const auto size = static_cast<std::size_t>(status.st_size);
  totals.counts.in_word = false;
  std::optional<std::string_view> hash;
  if (size >= kMappedBytes) {
    void* mapped = ::mmap(nullptr, size, PROT_READ, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (mapped == MAP_FAILED) fail(path);
    hasher.reset();
    for (std::size_t offset = 0; offset < size; offset += kPieceBytes) {
      const std::span piece(static_cast<const std::byte*>(mapped) + offset,
                            std::min(kPieceBytes, size - offset));
      hasher.update(piece);
      fantail::count(piece, totals.counts);
    }
    ::munmap(mapped, size);
    hash = hasher.finish();
  } else {
    if (::read(descriptor, buffer.data(), size) != static_cast<ssize_t>(size)) fail(path);
    const std::span bytes(buffer.data(), size);
    hash = hasher.hash(bytes);
    fantail::count(bytes, totals.counts);
  }
  if (!hash) fail("the hash");
  ::close(descriptor);
  totals.bytes += size;
  for (const char byte : *hash)
    totals.hashes += static_cast<unsigned char>(byte);
}

std::vector<std::string> files_of(const char* folder) {
  std::vector<std::string> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) paths.push_back(entry.path().native());
  }
  return paths;
}

}  // namespace

int main(int argc, char** argv) {
  const auto algorithm = argc == 4 ? fantail::parse_hash_algorithm(argv[2]) : std::nullopt;
  if (!algorithm) {
    std::fprintf(stderr, "usage: bench-file-scan FOLDER HASH THREADS\n");
    return 2;
  }
  const auto started = std::chrono::steady_clock::now();
  const std::vector<std::string> paths = files_of(argv[1]);
  std::atomic<std::size_t> next{0};
  std::vector<Totals> totals(std::strtoul(argv[3], nullptr, 10));
  std::vector<std::jthread> threads;
  for (Totals& result : totals) {
    threads.emplace_back([&] {
      Totals own;
      auto hasher = fantail::Hasher::make(*algorithm);
      if (!hasher) fail("the hash");
      std::vector<std::byte> buffer(kMappedBytes);
      for (std::size_t index = next++; index < paths.size(); index = next++)
        scan(paths[index], *hasher, buffer, own);
      result = own;
    });
  }
  threads.clear();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
  Totals sum;
  for (const Totals& each : totals) {
    sum.bytes += each.bytes;
    sum.counts.words += each.counts.words;
    sum.counts.lines += each.counts.lines;
    sum.hashes += each.hashes;
  }
  std::printf(
      R"({"rate": %.1f, "bandwidth": %.4f, "seconds": %.4f, "words": %ju, "lines": %ju, "hashes": %u})"
      "\n",
      static_cast<double>(paths.size()) / took.count(), static_cast<double>(sum.bytes) / took.count() / 1e9,
      took.count(), static_cast<std::uintmax_t>(sum.counts.words),
      static_cast<std::uintmax_t>(sum.counts.lines), sum.hashes);
  return 0;
}
