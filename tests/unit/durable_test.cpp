#include "pipeline/app/durable.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "pipeline/app/incarnation.h"
#include "pipeline/app/run_lock.h"
#include "pipeline/state_hash.h"
#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

std::uint64_t epoch_of(const std::string& folder) {
  const auto epoch = next_epoch(folder);
  if (const auto* error = std::get_if<std::string>(&epoch)) ADD_FAILURE() << *error;
  return std::holds_alternative<std::uint64_t>(epoch) ? std::get<std::uint64_t>(epoch) : 0;
}

std::string epoch_error(const std::string& folder) {
  const auto epoch = next_epoch(folder);
  return std::holds_alternative<std::string>(epoch) ? std::get<std::string>(epoch) : "";
}

TEST(Durable, ReplacesAFileAndLeavesNothingElse) {
  const TemporaryFolder folder;
  EXPECT_EQ(replace_file_durably(folder.path("file"), "one"), std::nullopt);
  EXPECT_EQ(replace_file_durably(folder.path("file"), std::string_view("t\0o", 3)), std::nullopt);
  EXPECT_EQ(file_content(folder.path("file")), std::string("t\0o", 3));
  EXPECT_FALSE(std::filesystem::exists(folder.path("file.tmp")));
}

TEST(Durable, AFileThatCannotBeReplacedStaysAsItWas) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder.path("file/below"));
  const auto error = replace_file_durably(folder.path("file"), "one");
  ASSERT_TRUE(error);
  EXPECT_NE(error->find(folder.path("file")), std::string::npos) << *error;
  EXPECT_TRUE(std::filesystem::exists(folder.path("file/below")));
  EXPECT_FALSE(std::filesystem::exists(folder.path("file.tmp")));
  EXPECT_TRUE(replace_file_durably(folder.path("absent/file"), "one"));
}

TEST(Durable, WritesAtAnOffset) {
  const TemporaryFolder folder;
  const FileDescriptor file(::open(folder.path("file").c_str(), O_RDWR | O_CREAT, 0600));
  EXPECT_EQ(write_all_at(file.get(), "0123456789", 0), 0);
  EXPECT_EQ(write_all_at(file.get(), "ab", 4), 0);
  EXPECT_EQ(file_content(folder.path("file")), "0123ab6789");
  EXPECT_EQ(write_all_at(-1, "ab", 4), EBADF);
  EXPECT_EQ(sync_file(-1), EBADF);
  EXPECT_EQ(sync_file_content(-1), EBADF);
}

TEST(Durable, MakesFoldersForThisUserAlone) {
  const TemporaryFolder folder;
  EXPECT_EQ(make_folder_durably(folder.path("one//two/three/")), std::nullopt);
  struct stat status = {};
  ASSERT_EQ(stat(folder.path("one/two/three").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
  EXPECT_EQ(make_folder_durably(folder.path("one/two/three")), std::nullopt);
  EXPECT_EQ(make_folder_durably("/"), std::nullopt);
  EXPECT_EQ(sync_folder(folder.path("one")), std::nullopt);
}

TEST(Durable, SaysWhichFolderCannotBeMade) {
  const TemporaryFolder folder;
  write_file(folder.path("file"), "");
  for (const char* name : {"file", "file/below"}) {
    const auto error = make_folder_durably(folder.path(name));
    ASSERT_TRUE(error) << name;
    EXPECT_NE(error->find(folder.path("file")), std::string::npos) << *error;
  }
  EXPECT_TRUE(sync_folder(folder.path("absent")));
}

TEST(Epoch, GrowsAndIsNotBehindTheClock) {
  const TemporaryFolder folder;
  const std::uint64_t now = incarnation_now();
  const std::uint64_t first = epoch_of(folder.path());
  EXPECT_GE(first, now);
  EXPECT_GT(epoch_of(folder.path()), first);
}

TEST(Epoch, GrowsWhenTheClockWasSetBack) {
  const TemporaryFolder folder;
  const std::uint64_t future = incarnation_now() + 1'000'000'000'000;
  char text[64];
  std::snprintf(text, sizeof(text), "%llu %016llx\n", static_cast<unsigned long long>(future),
                static_cast<unsigned long long>(StateHash().add(future).value()));
  write_file(folder.path("epoch"), text);
  EXPECT_EQ(epoch_of(folder.path()), future + 1);
  EXPECT_EQ(epoch_of(folder.path()), future + 2);
}

TEST(Epoch, EveryDamageIsAnErrorThatNamesTheFile) {
  const TemporaryFolder folder;
  epoch_of(folder.path());
  const std::string good = file_content(folder.path("epoch"));
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_file(folder.path("epoch"), good.substr(0, size));
    EXPECT_NE(epoch_error(folder.path()).find(folder.path("epoch")), std::string::npos) << size;
  }
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::string damaged = good;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    write_file(folder.path("epoch"), damaged);
    EXPECT_NE(epoch_error(folder.path()).find(folder.path("epoch")), std::string::npos) << bit;
    EXPECT_EQ(file_content(folder.path("epoch")), damaged);
  }
  write_file(folder.path("epoch"), good + "\n");
  EXPECT_NE(epoch_error(folder.path()), "");
  write_file(folder.path("epoch"), good);
  EXPECT_EQ(epoch_error(folder.path()), "");
}

TEST(Epoch, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  EXPECT_NE(epoch_error(folder.path("absent")).find(folder.path("absent")), std::string::npos);
}

TEST(Epoch, ThreadsNeverGetTheSame) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kEach = 25;
  const TemporaryFolder folder;
  std::vector<std::vector<std::uint64_t>> epochs(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : epochs) {
    threads.emplace_back([&mine, &folder] {
      for (std::size_t count = 0; count < kEach; ++count)
        mine.push_back(epoch_of(folder.path()));
    });
  }
  for (auto& thread : threads)
    thread.join();
  std::set<std::uint64_t> all;
  for (const auto& mine : epochs) {
    EXPECT_TRUE(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  EXPECT_EQ(all.size(), kThreads * kEach);
}

TEST(RunLock, OneHolderAtATimeAndItsPid) {
  const TemporaryFolder folder;
  {
    const auto lock = RunLock::take(folder.path());
    ASSERT_TRUE(std::holds_alternative<RunLock>(lock));
    const auto second = RunLock::take(folder.path());
    ASSERT_TRUE(std::holds_alternative<RunLock::Holder>(second));
    EXPECT_EQ(std::get<RunLock::Holder>(second).pid, getpid());
  }
  EXPECT_TRUE(std::filesystem::exists(folder.path("lock")));
  EXPECT_TRUE(std::holds_alternative<RunLock>(RunLock::take(folder.path())));
}

TEST(RunLock, MovesWithItsOwner) {
  const TemporaryFolder folder;
  auto taken = RunLock::take(folder.path());
  ASSERT_TRUE(std::holds_alternative<RunLock>(taken));
  std::optional<RunLock> kept = std::get<RunLock>(std::move(taken));
  taken = std::string();
  EXPECT_TRUE(std::holds_alternative<RunLock::Holder>(RunLock::take(folder.path())));
  kept.reset();
  EXPECT_TRUE(std::holds_alternative<RunLock>(RunLock::take(folder.path())));
}

TEST(RunLock, IsFreeWhenItsProcessWasKilled) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto lock = RunLock::take(folder.path());
    const char held = std::holds_alternative<RunLock>(lock) ? 'y' : 'n';
    if (write(ready[1], &held, 1) != 1) _exit(1);
    for (;;)
      pause();
  }
  char held = '?';
  ASSERT_EQ(read(ready[0], &held, 1), 1);
  EXPECT_EQ(held, 'y');
  const auto second = RunLock::take(folder.path());
  kill(child, SIGKILL);
  EXPECT_EQ(waitpid(child, nullptr, 0), child);
  ASSERT_TRUE(std::holds_alternative<RunLock::Holder>(second));
  EXPECT_EQ(std::get<RunLock::Holder>(second).pid, child);
  EXPECT_TRUE(std::holds_alternative<RunLock>(RunLock::take(folder.path())));
  close(ready[0]);
  close(ready[1]);
}

TEST(RunLock, AFolderThatIsNotThereIsAnError) {
  const TemporaryFolder folder;
  const auto lock = RunLock::take(folder.path("absent"));
  ASSERT_TRUE(std::holds_alternative<std::string>(lock));
  EXPECT_NE(std::get<std::string>(lock).find(folder.path("absent/lock")), std::string::npos);
}

}  // namespace
}  // namespace fantail
