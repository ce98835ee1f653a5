#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "ventilator/sources/lines.h"
#include "ventilator/sources/list.h"

namespace fantail {
namespace {

using Inputs = std::vector<std::string>;

struct Drained {
  Inputs inputs;
  std::string error;
};

Drained drain(Source& source, std::size_t limit = 1000) {
  Drained drained;
  while (true) {
    const std::size_t before = drained.inputs.size();
    const auto answer = source.read(limit, drained.inputs);
    EXPECT_LE(drained.inputs.size() - before, limit);
    if (const auto* error = std::get_if<SourceError>(&answer)) {
      drained.error = error->message;
      return drained;
    }
    if (std::get<SourceStatus>(answer) == SourceStatus::kEnd) return drained;
    EXPECT_GT(drained.inputs.size(), before);
  }
}

std::unique_ptr<Source> open_source(const std::string& path, LineFormat format = {}) {
  auto made = make_line_source(path, format);
  if (const auto* error = std::get_if<SourceError>(&made)) {
    ADD_FAILURE() << error->message;
    return make_list_source({});
  }
  return std::get<std::unique_ptr<Source>>(std::move(made));
}

void write_whole(int descriptor, const std::string& text) {
  EXPECT_EQ(::write(descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

class LineSource : public testing::Test {
 protected:
  LineSource() {
    std::string pattern = testing::TempDir() + "line_source.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~LineSource() override { std::filesystem::remove_all(directory_); }

  std::string write(const std::string& content) const {
    const std::string path = directory_ + "/input";
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

  std::string make_fifo() const {
    const std::string path = directory_ + "/fifo";
    EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
    return path;
  }

  Inputs lines(const std::string& content, LineFormat format = {}) const {
    const Drained drained = drain(*open_source(write(content), format));
    EXPECT_EQ(drained.error, "");
    return drained.inputs;
  }

  std::string directory_;
};

TEST_F(LineSource, AnEmptyFileHasNoInputs) {
  EXPECT_EQ(lines(""), Inputs{});
  EXPECT_EQ(lines("\n\n\n"), Inputs{});
}

TEST_F(LineSource, GivesLinesInTheirOrder) {
  EXPECT_EQ(lines("b\na\nb\n"), (Inputs{"b", "a", "b"}));
  EXPECT_EQ(lines("the last\nhas no newline"), (Inputs{"the last", "has no newline"}));
  EXPECT_EQ(lines("\n\none\n\n\ntwo\n\n"), (Inputs{"one", "two"}));
}

TEST_F(LineSource, KeepsEveryByteOfAName) {
  EXPECT_EQ(lines(" a \r\n\xff\xfe\n"), (Inputs{" a \r", "\xff\xfe"}));
  EXPECT_EQ(lines(std::string("nul\0inside\n", 11)), (Inputs{std::string("nul\0inside", 10)}));
}

TEST_F(LineSource, SplitsAtNulBytes) {
  const LineFormat format{'\0', false};
  EXPECT_EQ(lines(std::string("new\nline\0\0b \0last", 17), format), (Inputs{"new\nline", "b ", "last"}));
}

TEST_F(LineSource, TrimsWhenToldTo) {
  const LineFormat format{'\n', true};
  EXPECT_EQ(lines(" http://a/ \r\n\t\v\f\r \n\nhttp://b/ c\n  d", format),
            (Inputs{"http://a/", "http://b/ c", "d"}));
}

TEST_F(LineSource, StreamsAFileLargerThanItsBuffer) {
  std::string content;
  Inputs expected;
  for (int i = 0; i < 50000; ++i) {
    expected.push_back(std::string(static_cast<std::size_t>(i % 50), 'x') + std::to_string(i));
    content += expected.back() + "\n";
  }
  const std::string path = write(content);
  for (const std::size_t limit : {1U, 100U, 1000000U}) {
    EXPECT_EQ(drain(*open_source(path), limit).inputs, expected) << limit;
  }
}

TEST_F(LineSource, TakesALineOfOneMebibyteAndNoLonger) {
  const std::string longest(1024 * 1024, 'x');
  EXPECT_EQ(lines("a\n" + longest + "\nb\n"), (Inputs{"a", longest, "b"}));
  EXPECT_EQ(lines(longest), Inputs{longest});
  for (const std::string& end : {std::string("\nb\n"), std::string(""), std::string(500000, 'y')}) {
    const std::string path = write("a\n\n" + longest + "x" + end);
    const Drained drained = drain(*open_source(path));
    EXPECT_EQ(drained.inputs, Inputs{"a"});
    EXPECT_EQ(drained.error,
              "line 3 of --input " + path +
                  " is longer than 1 MiB: put one input on each line (with -0: separate them by NUL "
                  "bytes)");
  }
}

TEST_F(LineSource, SaysWhatItCannotRead) {
  const auto error_of = [](const std::string& path) {
    const auto made = make_line_source(path);
    const auto* error = std::get_if<SourceError>(&made);
    return error != nullptr ? error->message : "no error";
  };
  const std::string missing = directory_ + "/missing";
  EXPECT_EQ(error_of(missing), "cannot read --input " + missing + ": No such file or directory");
  EXPECT_EQ(error_of(directory_), "cannot read --input " + directory_ + ": Is a directory");
  EXPECT_EQ(error_of(""), "cannot read --input : No such file or directory");
}

TEST_F(LineSource, ReadsStandardInputAndLeavesItOpen) {
  const int saved = ::dup(STDIN_FILENO);
  const int file = ::open(write("one\ntwo").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::dup2(file, STDIN_FILENO), STDIN_FILENO);
  ::close(file);
  EXPECT_EQ(drain(*open_source("-")).inputs, (Inputs{"one", "two"}));
  EXPECT_NE(::fcntl(STDIN_FILENO, F_GETFD), -1);
  ::dup2(saved, STDIN_FILENO);
  ::close(saved);
}

TEST_F(LineSource, GivesWhatASlowPipeHas) {
  const auto source = open_source(make_fifo());
  const int writer = ::open((directory_ + "/fifo").c_str(), O_WRONLY | O_CLOEXEC);
  Inputs inputs;
  write_whole(writer, "one\ntwo\nthr");
  EXPECT_EQ(std::get<SourceStatus>(source->read(100, inputs)), SourceStatus::kMore);
  EXPECT_EQ(inputs, (Inputs{"one", "two"}));
  write_whole(writer, "ee\nfour");
  EXPECT_EQ(std::get<SourceStatus>(source->read(100, inputs)), SourceStatus::kMore);
  EXPECT_EQ(inputs, (Inputs{"one", "two", "three"}));
  ::close(writer);
  EXPECT_EQ(drain(*source).inputs, Inputs{"four"});
}

TEST_F(LineSource, WaitsForTheWriterOfAFifo) {
  const auto source = open_source(make_fifo());
  std::thread writing([this] {
    const int writer = ::open((directory_ + "/fifo").c_str(), O_WRONLY | O_CLOEXEC);
    write_whole(writer, "late\n");
    ::close(writer);
  });
  EXPECT_EQ(drain(*source).inputs, Inputs{"late"});
  writing.join();
}

TEST_F(LineSource, EndsWhenItIsInterruptedWhileItWaits) {
  const auto source = open_source(make_fifo());
  Drained drained;
  std::thread reading([&] { drained = drain(*source); });
  source->interrupt();
  reading.join();
  EXPECT_EQ(drained.inputs, Inputs{});
  EXPECT_EQ(drained.error, "");
}

TEST_F(LineSource, DropsTheBeginOfALineWhenItIsInterrupted) {
  const auto source = open_source(make_fifo());
  const int writer = ::open((directory_ + "/fifo").c_str(), O_WRONLY | O_CLOEXEC);
  write_whole(writer, "whole\nhalf");
  Inputs inputs;
  source->read(1, inputs);
  source->interrupt();
  EXPECT_EQ(drain(*source).inputs, Inputs{});
  EXPECT_EQ(inputs, Inputs{"whole"});
  ::close(writer);
}

TEST(ListSource, GivesItsInputsInTheirOrder) {
  const Inputs all = {"a", "", "b", "a"};
  for (const std::size_t limit : {1U, 3U, 4U, 5U})
    EXPECT_EQ(drain(*make_list_source(all), limit).inputs, all);
  EXPECT_EQ(drain(*make_list_source({})).inputs, Inputs{});
  EXPECT_EQ(make_list_source(all)->skipped(), 0U);
}

}  // namespace
}  // namespace fantail
