#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "ventilator/sources/walk.h"

namespace fantail {
namespace {

// What an exhausted source gave, asked for limit inputs at a time.
std::vector<std::string> drain(Source& source, std::size_t limit = 1000) {
  std::vector<std::string> inputs;
  while (true) {
    const std::size_t before = inputs.size();
    const auto answer = source.read(limit, inputs);
    EXPECT_LE(inputs.size() - before, limit);
    if (const auto* error = std::get_if<SourceError>(&answer)) {
      ADD_FAILURE() << error->message;
      return inputs;
    }
    if (std::get<SourceStatus>(answer) == SourceStatus::kEnd) return inputs;
    EXPECT_GT(inputs.size(), before);
  }
}

// Each test walks a directory of its own, which is the current directory meanwhile.
class WalkSource : public testing::Test {
 protected:
  WalkSource() : home_(std::filesystem::current_path()) {
    std::string pattern = testing::TempDir() + "walk_source.XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
    std::filesystem::current_path(directory_);
  }
  ~WalkSource() override {
    std::filesystem::current_path(home_);
    std::filesystem::remove_all(directory_);
  }

  static void write(const std::filesystem::path& path) {
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "x";
  }

  static std::vector<std::string> walk(std::vector<std::string> paths) {
    const auto source = make_walk_source(std::move(paths));
    return drain(*source);
  }

  using Paths = std::vector<std::string>;

  std::filesystem::path home_;
  std::string directory_;
};

TEST_F(WalkSource, EndsAtOnceWithoutPaths) {
  EXPECT_EQ(walk({}), Paths{});
}

TEST_F(WalkSource, AnEmptyDirectoryHasNoInputs) {
  std::filesystem::create_directories("empty/inner");
  EXPECT_EQ(walk({"empty"}), Paths{});
}

TEST_F(WalkSource, GoesDepthFirstInByteOrderOfNames) {
  for (const char* name : {"d/b", "d/a/z", "d/a/B/x", "d/a.txt", "d/A", "d/\xc3\xa9", "d/~", "d/a-/q"})
    write(name);
  // '-' and '.' sort before 'a' goes on; a directory stands at its own name, not at its name and a slash.
  EXPECT_EQ(walk({"d"}), (Paths{"d/A", "d/a/B/x", "d/a/z", "d/a-/q", "d/a.txt", "d/b", "d/~", "d/\xc3\xa9"}));
}

TEST_F(WalkSource, TakesArgumentsInTheirOrder) {
  for (const char* name : {"b/2", "b/1", "a/1", "file"})
    write(name);
  EXPECT_EQ(walk({"b", "file", "a", "file"}), (Paths{"b/1", "b/2", "file", "a/1", "file"}));
}

TEST_F(WalkSource, JoinsWithOneSlash) {
  write("d/a");
  EXPECT_EQ(walk({"d/"}), Paths{"d/a"});
  EXPECT_EQ(walk({"."}), Paths{"./d/a"});
  EXPECT_EQ(walk({directory_}), Paths{directory_ + "/d/a"});
}

TEST_F(WalkSource, NamesAreBytes) {
  for (const char* name : {"d/new\nline", "d/invalid\xff\xfe", "d/ space ", "d/.hidden", "d/..."})
    write(name);
  EXPECT_EQ(walk({"d"}), (Paths{"d/ space ", "d/...", "d/.hidden", "d/invalid\xff\xfe", "d/new\nline"}));
}

TEST_F(WalkSource, PassesOverSymlinksOnTheWay) {
  write("d/a");
  write("outside");
  std::filesystem::create_directory_symlink(".", "d/loop");
  std::filesystem::create_symlink("../outside", "d/to_file");
  std::filesystem::create_symlink("nowhere", "d/dangling");
  const auto source = make_walk_source({"d"});
  EXPECT_EQ(drain(*source), Paths{"d/a"});
  EXPECT_EQ(source->skipped(), 0U);
}

TEST_F(WalkSource, FollowsASymlinkThatIsNamed) {
  write("d/a");
  std::filesystem::create_directory_symlink("d", "link");
  std::filesystem::create_symlink("d/a", "link_to_file");
  EXPECT_EQ(walk({"link", "link_to_file"}), (Paths{"link/a", "link_to_file"}));
}

TEST_F(WalkSource, CountsSpecialFilesAsSkipped) {
  write("d/a");
  write("d/e/b");
  ASSERT_EQ(::mkfifo("d/fifo", 0600), 0);
  ASSERT_EQ(::mkfifo("d/e/fifo", 0600), 0);
  ASSERT_EQ(::mknod("d/socket", S_IFSOCK | 0600, 0), 0);
  const auto source = make_walk_source({"d"});
  EXPECT_EQ(drain(*source), (Paths{"d/a", "d/e/b"}));
  EXPECT_EQ(source->skipped(), 3U);
}

TEST_F(WalkSource, LeavesWhatIsNoDirectoryToTheWorker) {
  ASSERT_EQ(::mkfifo("fifo", 0600), 0);
  const auto source = make_walk_source({"fifo", "missing", "/dev/null", ""});
  EXPECT_EQ(drain(*source), (Paths{"fifo", "missing", "/dev/null", ""}));
  EXPECT_EQ(source->skipped(), 0U);
}

TEST_F(WalkSource, ADirectoryThatVanishesIsAnInput) {
  write("d/a");
  write("d/gone/b");
  write("d/z");
  const auto source = make_walk_source({"d"});
  Paths inputs;
  source->read(1, inputs);
  std::filesystem::remove_all("d/gone");
  const Paths rest = drain(*source);
  inputs.insert(inputs.end(), rest.begin(), rest.end());
  EXPECT_EQ(inputs, (Paths{"d/a", "d/gone", "d/z"}));
}

TEST_F(WalkSource, ADirectoryReplacedByASymlinkIsNotFollowed) {
  write("d/a");
  write("d/swapped/b");
  write("outside/secret");
  const auto source = make_walk_source({"d"});
  Paths inputs;
  source->read(1, inputs);
  std::filesystem::remove_all("d/swapped");
  std::filesystem::create_directory_symlink("../outside", "d/swapped");
  EXPECT_EQ(drain(*source), Paths{"d/swapped"});
}

TEST_F(WalkSource, AnUnreadableDirectoryIsAnInput) {
  if (::geteuid() == 0) GTEST_SKIP() << "root reads everything";
  write("d/secret/b");
  write("d/z");
  ASSERT_EQ(::chmod("d/secret", 0), 0);
  EXPECT_EQ(walk({"d"}), (Paths{"d/secret", "d/z"}));
  ASSERT_EQ(::chmod("d/secret", 0700), 0);
}

TEST_F(WalkSource, ATreeDeeperThanPathsCanBeIsCutByAnInput) {
  // 40 levels of 200 bytes: twice as long as a path may be, so it has to be made from inside.
  const std::string name(200, 'n');
  int parent = ::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int depth = 0; depth < 40; ++depth) {
    ASSERT_EQ(::mkdirat(parent, name.c_str(), 0700), 0);
    const int child = ::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ::close(parent);
    parent = child;
  }
  ::close(parent);
  write("last");
  std::filesystem::rename(name, "deep");
  const Paths inputs = walk({"."});
  ASSERT_EQ(inputs.size(), 2U);
  EXPECT_GE(inputs[0].size(), 4096U);
  EXPECT_EQ(inputs[1], "./last");
  EXPECT_EQ(std::system("rm -rf deep"), 0);
}

TEST_F(WalkSource, GivesAtMostTheLimit) {
  for (int i = 100; i < 200; ++i)
    write("d/" + std::to_string(i));
  const Paths all = walk({"d"});
  EXPECT_EQ(all.size(), 100U);
  for (const std::size_t limit : {1U, 7U, 99U, 100U, 101U}) {
    const auto source = make_walk_source({"d"});
    EXPECT_EQ(drain(*source, limit), all) << limit;
  }
}

TEST_F(WalkSource, DepthCostsNoDescriptors) {
  std::string path = "d";
  for (int depth = 0; depth < 100; ++depth)
    path += "/d";
  write(path + "/file");
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit few = before;
  few.rlim_cur = 20;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  const Paths inputs = walk({"d"});
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(inputs, Paths{path + "/file"});
}

TEST_F(WalkSource, SaysThatItHasNoDescriptors) {
  write("d/file");
  // UBSan needs a pipe to look at a type for the first time: it has seen all of them after one walk.
  drain(*make_walk_source({"d"}));
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = 0;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  Paths inputs;
  const auto answer = make_walk_source({"d"})->read(10, inputs);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  ASSERT_TRUE(std::holds_alternative<SourceError>(answer));
  EXPECT_EQ(std::get<SourceError>(answer).message,
            "cannot read directory d: Too many open files; raise the limit (ulimit -n) or free memory and "
            "start again");
  EXPECT_EQ(inputs, Paths{});
}

TEST_F(WalkSource, EndsWhenItIsInterrupted) {
  for (int i = 0; i < 10; ++i)
    write("d/" + std::to_string(i));
  const auto source = make_walk_source({"d"});
  Paths inputs;
  source->read(3, inputs);
  source->interrupt();
  EXPECT_EQ(drain(*source), Paths{});
  EXPECT_EQ(inputs, (Paths{"d/0", "d/1", "d/2"}));
}

}  // namespace
}  // namespace fantail
