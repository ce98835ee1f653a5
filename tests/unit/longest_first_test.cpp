#include "ventilator/sources/longest_first.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "tests/support/temporary_folder.h"
#include "ventilator/sources/list.h"

namespace fantail {
namespace {

using Inputs = std::vector<std::string>;
constexpr off_t kMebibyte = 1 << 20;

class LongestFirst : public testing::Test {
 protected:
  // A file with a hole of this size.
  std::string file(const std::string& name, off_t size) const {
    write_file(folder_.path(name), "");
    EXPECT_EQ(::truncate(folder_.path(name).c_str(), size), 0);
    return folder_.path(name);
  }
  static Inputs drain(Source& source, std::size_t limit) {
    Inputs inputs;
    while (true) {
      const auto answer = source.read(limit, inputs);
      if (std::get<SourceStatus>(answer) == SourceStatus::kEnd) return inputs;
    }
  }

  TemporaryFolder folder_;
};

TEST_F(LongestFirst, NamesTheLargeOnesByTheirDistanceFromTheEnd) {
  const Inputs paths = {file("a", 9 * kMebibyte), file("b", 1), file("c", 30 * kMebibyte), folder_.path(),
                        folder_.path("missing"),  "",           file("d", 10 * kMebibyte), file("e", 0)};
  for (const std::size_t limit : {1U, 3U, 8U, 100U}) {
    const auto source = make_longest_first(make_list_source(paths));
    EXPECT_EQ(drain(*source, limit), paths) << limit;
    EXPECT_EQ(source->longest(), (std::vector<std::uint64_t>{6, 2, 8})) << limit;
  }
}

TEST_F(LongestFirst, LooksAtTheLastOnesOnly) {
  Inputs paths(20000, folder_.path("missing"));
  paths.front() = file("large", 30 * kMebibyte);
  const auto source = make_longest_first(make_list_source(paths));
  EXPECT_EQ(drain(*source, 1000), paths);
  EXPECT_EQ(source->longest(), std::vector<std::uint64_t>{});
}

TEST_F(LongestFirst, LooksAtNothingWhenItIsInterrupted) {
  const Inputs paths = {file("large", 30 * kMebibyte)};
  const auto source = make_longest_first(make_list_source(paths));
  Inputs inputs;
  source->read(1, inputs);
  source->interrupt();
  drain(*source, 1);
  EXPECT_EQ(source->longest(), std::vector<std::uint64_t>{});
}

}  // namespace
}  // namespace fantail
