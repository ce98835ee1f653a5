// How fast pages are read once they are here: every file is scanned as one response would be, in pieces of
// the size that libcurl delivers.
//
// usage: bench-page-scan ROUNDS FOLDER COUNT, where the folder has 0.html, 1.html ...
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/url/url.h"
#include "worker/html/page_scanner.h"

namespace {

constexpr std::size_t kPieceSize = 16 * 1024;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: %s ROUNDS FOLDER COUNT\n", argv[0]);
    return 2;
  }
  const long rounds = std::strtol(argv[1], nullptr, 10);
  std::vector<std::string> pages;
  for (long i = 0; i < std::strtol(argv[3], nullptr, 10); ++i)
    pages.push_back(read_file(std::string(argv[2]) + "/" + std::to_string(i) + ".html"));
  const fantail::Url url = *fantail::parse_url("http://127.0.0.1:8080/world/2024/page.html");
  std::size_t bytes = 0;
  std::uint64_t words = 0;
  std::size_t links = 0;
  const double begin = cpu_seconds();
  for (long round = 0; round < rounds; ++round) {
    for (const std::string& text : pages) {
      fantail::PageScanner scanner("text/html; charset=utf-8", url);
      for (std::size_t at = 0; at < text.size(); at += kPieceSize)
        scanner.feed(std::string_view(text).substr(at, kPieceSize));
      const fantail::Page page = scanner.finish();
      bytes += text.size();
      words += page.words;
      links += page.links.size();
    }
  }
  const double seconds = cpu_seconds() - begin;
  const double scanned = static_cast<double>(pages.size()) * static_cast<double>(rounds);
  std::printf("{\"pages\": %.0f, \"words\": %llu, \"links\": %zu, \"rate\": %.1f, \"cpu\": %.2f}\n", scanned,
              static_cast<unsigned long long>(words), links, static_cast<double>(bytes) / seconds / 1e6,
              seconds / scanned * 1e6);
}
