#include "worker/files/mapped_window.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <thread>

#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

constexpr std::size_t kSize = 1 << 20;

class MappedWindowTest : public testing::Test {
 protected:
  MappedWindowTest() {
    write_file(folder_.path("file"), std::string(kSize, 'x'));
    descriptor_ = ::open(folder_.path("file").c_str(), O_RDWR | O_CLOEXEC);
  }
  ~MappedWindowTest() override { ::close(descriptor_); }

  static std::size_t zeros(const MappedWindow& window) {
    std::size_t zeros = 0;
    for (const std::byte byte : window.bytes())
      zeros += byte == std::byte{0} ? 1 : 0;
    return zeros;
  }

  TemporaryFolder folder_;
  int descriptor_ = -1;
};

TEST_F(MappedWindowTest, ShowsTheFile) {
  const auto window = MappedWindow::map(descriptor_, 0, kSize);
  ASSERT_TRUE(window);
  EXPECT_EQ(window->bytes().size(), kSize);
  EXPECT_EQ(zeros(*window), 0U);
  EXPECT_TRUE(window->intact());
}

TEST_F(MappedWindowTest, SurvivesATruncatedFile) {
  const auto window = MappedWindow::map(descriptor_, 0, kSize);
  ASSERT_TRUE(window);
  ASSERT_EQ(::ftruncate(descriptor_, 0), 0);
  EXPECT_EQ(zeros(*window), kSize);
  EXPECT_FALSE(window->intact());
}

TEST_F(MappedWindowTest, TheNextWindowIsIntactAgain) {
  {
    const auto window = MappedWindow::map(descriptor_, 0, kSize);
    ASSERT_TRUE(window);
    ASSERT_EQ(::ftruncate(descriptor_, 1), 0);
    ASSERT_GT(zeros(*window), 0U);
    ASSERT_FALSE(window->intact());
  }
  const auto window = MappedWindow::map(descriptor_, 0, 1);
  ASSERT_TRUE(window);
  EXPECT_EQ(zeros(*window), 0U);
  EXPECT_TRUE(window->intact());
}

TEST_F(MappedWindowTest, EachThreadHasItsOwn) {
  write_file(folder_.path("other"), std::string(kSize, 'x'));
  const int other = ::open(folder_.path("other").c_str(), O_RDONLY | O_CLOEXEC);
  const auto window = MappedWindow::map(descriptor_, 0, kSize);
  ASSERT_TRUE(window);
  ASSERT_EQ(::ftruncate(descriptor_, 0), 0);
  std::thread([&] {
    const auto of_other = MappedWindow::map(other, 0, kSize);
    ASSERT_TRUE(of_other);
    EXPECT_EQ(zeros(*of_other), 0U);
    EXPECT_TRUE(of_other->intact());
  }).join();
  EXPECT_EQ(zeros(*window), kSize);
  EXPECT_FALSE(window->intact());
  ::close(other);
}

TEST_F(MappedWindowTest, RefusesWhatCannotBeMapped) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  EXPECT_FALSE(MappedWindow::map(ends[0], 0, kSize));
  ::close(ends[0]);
  ::close(ends[1]);
}

// Reads a page of a truncated file that no window guards.
void read_what_is_gone(int descriptor) {
  const void* page = ::mmap(nullptr, kSize, PROT_READ, MAP_SHARED, descriptor, 0);
  if (page == MAP_FAILED || ::ftruncate(descriptor, 0) != 0) ::_exit(1);
  ::_exit(*static_cast<const volatile char*>(page) == 0 ? 2 : 3);
}

TEST_F(MappedWindowTest, LeavesOtherBusErrorsFatal) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizer reports signals in its own way";
#endif
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ASSERT_TRUE(MappedWindow::map(descriptor_, 0, kSize));
  EXPECT_EXIT(read_what_is_gone(descriptor_), testing::KilledBySignal(SIGBUS), "");
}

}  // namespace
}  // namespace fantail
