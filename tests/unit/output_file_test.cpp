#include "sink/writers/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

namespace fantail {
namespace {

class OutputFileTest : public testing::Test {
 protected:
  OutputFileTest()
      : directory_(testing::TempDir() + "/output_file_" + std::to_string(std::random_device{}())) {
    std::filesystem::create_directory(directory_);
    std::signal(SIGPIPE, SIG_IGN);
  }
  ~OutputFileTest() override { std::filesystem::remove_all(directory_); }

  std::string path(const std::string& name) const { return directory_ + "/" + name; }

  static std::string content(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  static OutputFile opened(const std::string& path) {
    auto file = OutputFile::open(path);
    EXPECT_TRUE(std::holds_alternative<OutputFile>(file));
    EXPECT_EQ(std::get<OutputFile>(file).start_at(0), std::nullopt);
    return std::get<OutputFile>(std::move(file));
  }

  std::string directory_;
};

TEST_F(OutputFileTest, ReplacesTheContentOfAFile) {
  std::ofstream(path("rows")) << "what was there before";
  OutputFile file = opened(path("rows"));
  EXPECT_EQ(file.append("one\n"), std::nullopt);
  EXPECT_EQ(content(path("rows")), "");
  EXPECT_EQ(file.flush(), std::nullopt);
  EXPECT_EQ(content(path("rows")), "one\n");
  EXPECT_EQ(file.append("two\n"), std::nullopt);
  EXPECT_EQ(file.close(), std::nullopt);
  EXPECT_EQ(content(path("rows")), "one\ntwo\n");
}

TEST_F(OutputFileTest, GoesOnBehindWhatItIsToKeep) {
  std::ofstream(path("rows")) << "one\ntwo\nthr";
  auto opened_file = OutputFile::open(path("rows"));
  OutputFile& file = std::get<OutputFile>(opened_file);
  EXPECT_EQ(content(path("rows")), "one\ntwo\nthr") << "nothing is lost by opening it";
  EXPECT_TRUE(file.can_be_cut());
  EXPECT_EQ(file.start_at(8), std::nullopt);
  EXPECT_EQ(file.append("three\n"), std::nullopt);
  EXPECT_EQ(file.sync(), std::nullopt);
  EXPECT_EQ(file.length(), 14u);
  EXPECT_EQ(content(path("rows")), "one\ntwo\nthree\n");
}

TEST_F(OutputFileTest, SaysThatTheFileIsNotWhatItWas) {
  std::ofstream(path("rows")) << "one\n";
  auto file = OutputFile::open(path("rows"));
  EXPECT_EQ(std::get<OutputFile>(file).start_at(8),
            "--output " + path("rows") +
                " is shorter than what the run has written to it: choose another --output");
  EXPECT_EQ(content(path("rows")), "one\n");
}

TEST_F(OutputFileTest, WhatIsNotItsOwnFileCannotBeCut) {
  OutputFile file = opened("/dev/null");
  EXPECT_FALSE(file.can_be_cut());
}

TEST_F(OutputFileTest, StaysOpenAfterASync) {
  OutputFile file = opened(path("rows"));
  EXPECT_EQ(file.append("one\n"), std::nullopt);
  EXPECT_EQ(file.sync(), std::nullopt);
  EXPECT_EQ(content(path("rows")), "one\n");
  EXPECT_EQ(file.append("two\n"), std::nullopt);
  EXPECT_EQ(file.close(), std::nullopt);
  EXPECT_EQ(content(path("rows")), "one\ntwo\n");
}

TEST_F(OutputFileTest, TellsAFullStorageAtTheSync) {
  OutputFile file = opened("/dev/full");
  EXPECT_EQ(file.append("one\n"), std::nullopt);
  EXPECT_EQ(file.sync(), "cannot write --output /dev/full: No space left on device");
  EXPECT_EQ(file.sync(), "cannot write --output /dev/full: No space left on device");
}

TEST_F(OutputFileTest, WritesMoreThanItsBuffer) {
  std::string expected;
  OutputFile file = opened(path("rows"));
  for (const std::size_t size : {100'000u, 200'000u, 1'000'000u, 262'144u, 1u}) {
    const std::string piece(size, static_cast<char>('a' + size % 26));
    expected += piece;
    EXPECT_EQ(file.append(piece), std::nullopt);
  }
  EXPECT_EQ(file.close(), std::nullopt);
  EXPECT_TRUE(content(path("rows")) == expected);
}

TEST_F(OutputFileTest, CanBeMoved) {
  OutputFile first = opened(path("first"));
  EXPECT_EQ(first.append("1"), std::nullopt);
  OutputFile moved(std::move(first));
  EXPECT_EQ(moved.append("2"), std::nullopt);
  OutputFile second = opened(path("second"));
  EXPECT_EQ(second.append("3"), std::nullopt);
  second = std::move(moved);
  EXPECT_EQ(content(path("second")), "3");
  EXPECT_EQ(second.close(), std::nullopt);
  EXPECT_EQ(content(path("first")), "12");
}

TEST_F(OutputFileTest, WritesTheRestWhenItIsDropped) {
  {
    OutputFile file = opened(path("rows"));
    EXPECT_EQ(file.append("left"), std::nullopt);
  }
  EXPECT_EQ(content(path("rows")), "left");
}

TEST_F(OutputFileTest, SaysWhyItCannotOpen) {
  EXPECT_EQ(std::get<std::string>(OutputFile::open("/no/such/file")),
            "cannot write --output /no/such/file: No such file or directory");
  EXPECT_EQ(std::get<std::string>(OutputFile::open(directory_)),
            "cannot write --output " + directory_ + ": Is a directory");
  EXPECT_EQ(std::get<std::string>(OutputFile::open("/no/\x1b[2J")),
            "cannot write --output /no/\\x1b[2J: No such file or directory");
}

TEST_F(OutputFileTest, TellsThatTheStorageIsFullAndKeepsTelling) {
  OutputFile file = opened("/dev/full");
  EXPECT_EQ(file.append("row\n"), std::nullopt);
  const std::string error = "cannot write --output /dev/full: No space left on device";
  EXPECT_EQ(file.flush(), error);
  EXPECT_EQ(file.append("row\n"), error);
  EXPECT_EQ(file.flush(), error);
  EXPECT_EQ(file.close(), error);
}

TEST_F(OutputFileTest, TellsThatTheReaderLeft) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  OutputFile file = opened(path("fifo"));
  EXPECT_EQ(file.append("row\n"), std::nullopt);
  close(reader);
  EXPECT_EQ(file.close(), "cannot write --output " + path("fifo") + ": Broken pipe");
}

TEST_F(OutputFileTest, WaitsForAPipeThatDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  ASSERT_EQ(fcntl(ends[0], F_SETFL, 0), 0);
  OutputFile file = opened("/dev/fd/" + std::to_string(ends[1]));
  close(ends[1]);
  std::string received;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t count; (count = read(ends[0], buffer, sizeof buffer)) > 0;)
      received.append(buffer, static_cast<std::size_t>(count));
  });
  const std::string sent(1'000'000, 'x');
  EXPECT_EQ(file.append(sent), std::nullopt);
  EXPECT_EQ(file.close(), std::nullopt);
  reader.join();
  close(ends[0]);
  EXPECT_TRUE(received == sent);
}

TEST_F(OutputFileTest, WritesToStandardOutputAndLeavesItOpen) {
  testing::internal::CaptureStdout();
  OutputFile file = opened("-");
  EXPECT_EQ(file.append("row\n"), std::nullopt);
  EXPECT_EQ(file.close(), std::nullopt);
  EXPECT_EQ(write_file_atomically("-", "report\n"), std::nullopt);
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "row\nreport\n");
}

TEST_F(OutputFileTest, ReplacesAReportAsAWhole) {
  EXPECT_EQ(write_file_atomically(path("report"), "old"), std::nullopt);
  std::ifstream reader(path("report"));
  EXPECT_EQ(write_file_atomically(path("report"), "new and longer"), std::nullopt);
  std::string seen;
  reader >> seen;
  EXPECT_EQ(seen, "old");
  EXPECT_EQ(content(path("report")), "new and longer");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(OutputFileTest, KeepsModeAndLinksOfAReport) {
  std::ofstream(path("report")) << "old";
  ASSERT_EQ(chmod(path("report").c_str(), 0604), 0);
  std::filesystem::create_symlink("report", path("link"));
  EXPECT_EQ(write_file_atomically(path("link"), "new"), std::nullopt);
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  EXPECT_EQ(content(path("report")), "new");
  struct stat status = {};
  ASSERT_EQ(stat(path("report").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0604u);
}

TEST_F(OutputFileTest, WritesAReportIntoAFifoAndADevice) {
  ASSERT_EQ(mkfifo(path("fifo").c_str(), 0600), 0);
  const int reader = open(path("fifo").c_str(), O_RDONLY | O_NONBLOCK);
  ASSERT_GE(reader, 0);
  EXPECT_EQ(write_file_atomically(path("fifo"), "report"), std::nullopt);
  char buffer[16];
  EXPECT_EQ(read(reader, buffer, sizeof buffer), 6);
  close(reader);
  EXPECT_EQ(write_file_atomically("/dev/null", "report"), std::nullopt);
  EXPECT_EQ(write_file_atomically("/dev/full", "report"),
            "cannot write --report /dev/full: No space left on device");
}

TEST_F(OutputFileTest, SaysWhyAReportCannotBeWritten) {
  EXPECT_EQ(write_file_atomically("/no/such/report", "x"),
            "cannot write --report /no/such/report: No such file or directory");
  EXPECT_EQ(write_file_atomically(directory_, "x"),
            "cannot write --report " + directory_ + ": Is a directory");
  EXPECT_EQ(write_file_atomically("", "x"), "cannot write --report : No such file or directory");
}

}  // namespace
}  // namespace fantail
