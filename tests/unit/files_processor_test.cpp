#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <sstream>
#include <thread>

#include "tests/support/hex.h"
#include "worker/processors/files.h"

namespace fantail {
namespace {

std::unique_ptr<SyncProcessor> processor_with(const std::string& hash_algorithm) {
  proto::FilesSpec spec;
  spec.set_hash_algorithm(hash_algorithm);
  return make_files_processor(spec);
}

proto::FilesResult result_of(const JobResult& job) {
  proto::FilesResult result;
  EXPECT_TRUE(result.ParseFromString(job.payload));
  return result;
}

// Each test has a directory of its own.
class FilesProcessor : public testing::Test {
 protected:
  FilesProcessor() {
    std::string pattern = testing::TempDir() + "files_processor.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~FilesProcessor() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }

  JobResult process(const std::string& input) const {
    return processor_with("xxh3")->process({input}, StopToken());
  }

  void expect_failure(const std::string& input, const std::string& code, const std::string& message) const {
    const JobResult job = process(input);
    EXPECT_EQ(job.status, Status::kFailed) << input;
    EXPECT_EQ(job.error_code, code) << input;
    EXPECT_EQ(job.error_message, message) << input;
    EXPECT_EQ(job.payload, "") << input;
  }

  // The words of each line that a shell command prints in the directory, by the last one: the file's name.
  std::map<std::string, std::vector<std::string>> run(const std::string& command) const {
    std::map<std::string, std::vector<std::string>> lines;
    const std::string whole = "cd '" + directory_ + "' && LC_ALL=C " + command;
    std::FILE* output = ::popen(whole.c_str(), "r");
    char buffer[4096];
    while (std::fgets(buffer, sizeof(buffer), output) != nullptr) {
      std::istringstream line(buffer);
      std::vector<std::string> words{std::istream_iterator<std::string>(line), {}};
      if (words.size() > 1) lines[words.back()] = words;
    }
    EXPECT_EQ(::pclose(output), 0) << command;
    return lines;
  }

  // Files of every size around the edges of registers, blocks and buffers; returns how many.
  std::size_t write_many(bool printable) const {
    std::mt19937 random(7);
    std::uniform_int_distribution<int> any(0, 255);
    const std::string alphabet = "abcXYZ0189.,~!   \n\n\t\v\f\r";
    const std::size_t sizes[] = {0,     1,     2,      3,      31,     32,     33,     63,
                                 64,    65,    127,    128,    129,    239,    240,    241,
                                 1023,  1024,  1025,   4095,   4096,   4097,   9999,   65535,
                                 65536, 65537, 262143, 262144, 262145, 524287, 524288, 1000003};
    for (const std::size_t size : sizes) {
      std::string content(size, '\0');
      for (char& character : content) {
        const auto drawn = static_cast<std::size_t>(any(random));
        character = printable ? alphabet[drawn % alphabet.size()] : static_cast<char>(drawn);
      }
      write("file" + std::to_string(size), content);
    }
    return std::size(sizes);
  }

  void expect_hashes_of(const std::string& hash_algorithm, const std::string& command) const {
    const std::size_t files = write_many(false);
    const auto lines = run(command + " file*");
    EXPECT_EQ(lines.size(), files);
    const auto processor = processor_with(hash_algorithm);
    for (const auto& [name, words] : lines) {
      const JobResult job = processor->process({path(name)}, StopToken());
      EXPECT_EQ(job.status, Status::kOk) << name << ": " << job.error_message;
      EXPECT_EQ(hex(result_of(job).hash()), words.front()) << hash_algorithm << " of " << name;
    }
  }

  std::string directory_;
};

TEST_F(FilesProcessor, AnswersSizeHashWordsAndLines) {
  const JobResult job = process(write("a", "one two\nthree"));
  EXPECT_EQ(job.status, Status::kOk);
  EXPECT_EQ(job.error_code, "");
  const proto::FilesResult result = result_of(job);
  EXPECT_EQ(result.size(), 13U);
  EXPECT_EQ(result.words(), 3U);
  EXPECT_EQ(result.lines(), 1U);
  EXPECT_EQ(result.hash().size(), 16U);
}

TEST_F(FilesProcessor, AnEmptyFileHasAHash) {
  const proto::FilesResult result = result_of(process(write("empty", "")));
  EXPECT_EQ(result.size(), 0U);
  EXPECT_EQ(hex(result.hash()), "99aa06d3014798d86001c324468d497f");
}

TEST_F(FilesProcessor, CountsLikeWc) {
  const std::size_t files = write_many(true);
  const auto lines = run("wc -lwc file*");
  EXPECT_EQ(lines.size(), files + 1);  // and the total
  const auto processor = processor_with("none");
  for (const auto& [name, words] : lines) {
    if (name == "total") continue;
    const proto::FilesResult result = result_of(processor->process({path(name)}, StopToken()));
    EXPECT_EQ(std::to_string(result.lines()), words.at(0)) << name;
    EXPECT_EQ(std::to_string(result.words()), words.at(1)) << name;
    EXPECT_EQ(std::to_string(result.size()), words.at(2)) << name;
    EXPECT_EQ(result.hash(), "");
  }
}

TEST_F(FilesProcessor, HashesLikeTheTools) {
  expect_hashes_of("md5", "md5sum");
  expect_hashes_of("sha1", "sha1sum");
  expect_hashes_of("sha256", "sha256sum");
  expect_hashes_of("sha512", "sha512sum");
  expect_hashes_of("blake2b", "b2sum");
}

TEST_F(FilesProcessor, HashesLikeXxhsum) {
  if (std::system("command -v xxhsum >/dev/null") != 0) GTEST_SKIP() << "xxhsum is not installed";
  expect_hashes_of("xxh3", "xxhsum -H2");
}

TEST_F(FilesProcessor, NamesAreBytes) {
  for (const char* name : {"new\nline", "invalid\xff\xfe", " space ", "-n", "back\\slash"}) {
    EXPECT_EQ(process(write(name, "x\n")).status, Status::kOk) << name;
  }
}

TEST_F(FilesProcessor, SaysWhatCannotBeOpened) {
  const std::string file = write("file", "x");
  std::filesystem::create_symlink("loop", path("loop"));
  expect_failure(path("missing"), "not_found", "cannot open: No such file or directory");
  expect_failure(file + "/below", "os_error", "cannot open: Not a directory");
  expect_failure(path("loop"), "symlink_loop", "cannot open: Too many levels of symbolic links");
  expect_failure(path(std::string(300, 'n')), "name_too_long", "cannot open: File name too long");
  expect_failure("", "bad_path", "the path is empty");
  expect_failure(file + std::string("\0x", 2), "bad_path", "the path has a NUL byte");
}

TEST_F(FilesProcessor, SaysThatAFileIsUnreadable) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  const std::string file = write("secret", "x");
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  expect_failure(file, "permission_denied", "cannot open: Permission denied");
}

TEST_F(FilesProcessor, ReadsRegularFilesOnly) {
  ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
  const int bound = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {AF_UNIX, {}};
  path("socket").copy(address.sun_path, sizeof(address.sun_path) - 1);
  ASSERT_EQ(::bind(bound, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  expect_failure(directory_, "is_directory", "is a directory, not a regular file");
  expect_failure(path("fifo"), "not_regular", "is a fifo, not a regular file");
  expect_failure(path("socket"), "not_regular", "is a socket, not a regular file");
  expect_failure("/dev/zero", "not_regular", "is a device, not a regular file");
  ::close(bound);
}

TEST_F(FilesProcessor, FollowsASymlinkThatIsNamed) {
  write("target", "one two three");
  std::filesystem::create_symlink("target", path("link"));
  EXPECT_EQ(result_of(process(path("link"))).words(), 3U);
}

TEST_F(FilesProcessor, ReadsFilesWhoseSizeIsSaidToBeZero) {
  struct stat status = {};
  if (::stat("/proc/self/status", &status) != 0) GTEST_SKIP() << "there is no /proc";
  const JobResult job = process("/proc/self/status");
  EXPECT_EQ(job.status, Status::kOk) << job.error_message;
  EXPECT_GT(result_of(job).size(), static_cast<std::uint64_t>(status.st_size));
  EXPECT_GT(result_of(job).lines(), 10U);
}

TEST_F(FilesProcessor, NoticesAFileThatChangesWhileItIsRead) {
  const std::string file = write("growing", "");
  constexpr std::uint64_t kStart = 32U << 20;
  ASSERT_EQ(::truncate(file.c_str(), kStart), 0);
  std::atomic<bool> done = false;
  std::thread writer([&] {
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
    while (!done && ::write(descriptor, "\n", 1) == 1) {
    }
    ::close(descriptor);
  });
  // On a loaded machine the writer may rest through a whole pass, so one pass does not have to be enough.
  const auto processor = processor_with("sha512");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  JobResult job;
  do {
    job = processor->process({file}, StopToken());
  } while (job.status == Status::kOk && std::chrono::steady_clock::now() < end);
  done = true;
  writer.join();
  EXPECT_EQ(job.status, Status::kFailed);
  EXPECT_EQ(job.error_code, "changed_while_reading");
  EXPECT_GE(result_of(job).size(), kStart);
  EXPECT_EQ(result_of(job).lines(), result_of(job).size() - kStart);
}

TEST_F(FilesProcessor, ReadsLargeFilesInWindows) {
  // The pieces have a prime length, so that words and lines lie across the edges of windows.
  std::string piece = "a word and\nwhite space\t\t";
  piece.resize(9973, 'x');
  const auto processor = processor_with("xxh3");
  const auto small = processor_with("none");
  for (const std::uint64_t pieces : {900U, 1800U, 20000U}) {
    {
      std::ofstream file(path("large"), std::ios::binary);
      for (std::uint64_t i = 0; i < pieces; ++i)
        file << piece;
    }
    const proto::FilesResult result = result_of(processor->process({path("large")}, StopToken()));
    EXPECT_EQ(result.size(), pieces * piece.size());
    // A piece ends in the middle of a word, which its successor's first word goes on.
    EXPECT_EQ(result.words(), pieces * 5 + 1);
    EXPECT_EQ(result.lines(), pieces);
    EXPECT_EQ(result_of(small->process({path("large")}, StopToken())).words(), result.words());
    if (std::system("command -v xxhsum >/dev/null") != 0) continue;
    const auto lines = run("xxhsum -H2 large");
    EXPECT_EQ(hex(result.hash()), lines.at("large").front());
  }
}

TEST_F(FilesProcessor, SurvivesAFileThatIsTruncatedWhileItIsRead) {
  const std::string file = write("shrinking", "");
  constexpr off_t kStart = off_t{256} << 20;
  std::atomic<bool> done = false;
  std::thread writer([&] {
    while (!done) {
      EXPECT_EQ(::truncate(file.c_str(), kStart), 0);
      std::this_thread::yield();
      EXPECT_EQ(::truncate(file.c_str(), 1), 0);
    }
  });
  const auto processor = processor_with("sha256");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  std::uint64_t changed = 0;
  while (changed < 20 && std::chrono::steady_clock::now() < end) {
    const JobResult job = processor->process({file}, StopToken());
    if (job.status == Status::kOk) continue;
    EXPECT_EQ(job.error_code, "changed_while_reading") << job.error_message;
    ++changed;
  }
  done = true;
  writer.join();
  EXPECT_EQ(changed, 20U);
}

TEST_F(FilesProcessor, StopsBeforeItStarts) {
  const std::string file = write("a", "x");
  StopToken cancelled;
  cancelled.request_stop(StopReason::kCancelled);
  const JobResult cancelled_job = processor_with("xxh3")->process({file}, cancelled);
  EXPECT_EQ(cancelled_job.status, Status::kCancelled);
  EXPECT_EQ(cancelled_job.error_code, "cancelled");
  EXPECT_EQ(cancelled_job.error_message, "cancelled while running");
  StopToken expired;
  expired.request_stop(StopReason::kExpired);
  const JobResult expired_job = processor_with("xxh3")->process({file}, expired);
  EXPECT_EQ(expired_job.status, Status::kExpired);
  EXPECT_EQ(expired_job.error_code, "expired");
  EXPECT_EQ(expired_job.error_message, "the run's deadline passed");
}

TEST_F(FilesProcessor, StopsInTheMiddleOfAFile) {
  // A terabyte of hole takes minutes to read: only the stop can end this test.
  const std::string file = write("huge", "");
  if (::truncate(file.c_str(), off_t{1} << 40) != 0)
    GTEST_SKIP() << "the file system has no such large files";
  StopToken stop;
  JobResult job;
  std::thread worker([&] { job = processor_with("xxh3")->process({file}, stop); });
  stop.request_stop(StopReason::kCancelled);
  worker.join();
  EXPECT_EQ(job.status, Status::kCancelled);
  EXPECT_EQ(job.payload, "");
}

TEST_F(FilesProcessor, FailsEveryJobOfAnUnknownHash) {
  const std::string file = write("a", "x");
  for (const char* name : {"", "sha3", "MD5"}) {
    const JobResult job = processor_with(name)->process({file}, StopToken());
    EXPECT_EQ(job.status, Status::kFailed) << name;
    EXPECT_EQ(job.error_code, "bad_spec") << name;
  }
}

TEST_F(FilesProcessor, LeavesNoDescriptorsOpen) {
  const std::string file = write("a", "x");
  const int before = ::dup(STDERR_FILENO);
  ::close(before);
  for (const std::string& input : {file, directory_, path("missing"), std::string("/dev/null")})
    process(input);
  const int after = ::dup(STDERR_FILENO);
  ::close(after);
  EXPECT_EQ(before, after);
}

}  // namespace
}  // namespace fantail
