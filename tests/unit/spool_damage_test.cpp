// Everything that can become of a spool's file while nobody looks. What is asked of open(): a prefix of what
// was there with a report of what was cut, or an error that names the place; never a wrong input.
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/support/spool_scene.h"
#include "tests/support/temporary_folder.h"
#include "ventilator/spool.h"

namespace fantail {
namespace {

constexpr std::uint32_t kDamageSeed = 20261125;

// A spool of about 4 KiB, and for each of its records where it ends and what the spool said behind it.
class SpoolDamage : public testing::Test {
 protected:
  SpoolDamage() {
    std::mt19937 random(kDamageSeed);
    Spool spool = created(folder_.path());
    remember(spool);
    for (int record = 0; record < 10; ++record) {
      for (std::size_t count = 3 + random() % 12; count > 0; --count)
        spool.append("https://host-" + std::to_string(random() % 100) + ".example/" +
                     std::string(random() % 9, 'F'));
      if (record % 3 == 0) spool.append_generated(2, 5);
      if (record % 2 == 0) spool.set_frontier(spool.size() - 1);
      if (record % 4 == 3) spool.add_deaths({0, spool.size() - 1}, record % 8 == 3);
      sync(spool);
      remember(spool);
    }
    spool.close_input(true, 3);
    sync(spool);
    remember(spool);
    spool.set_stop({proto::STOP_QUEUED, proto::RUN_END_INTERRUPTED, "interrupted"});
    sync(spool);
    remember(spool);
    spool.acknowledge();
    sync(spool);
    remember(spool);
    content_ = file_content(path());
  }

  std::string path() const { return folder_.path("spool"); }
  std::size_t records() const { return ends_.size(); }
  std::size_t begin_of(std::size_t record) const { return record == 0 ? 0 : ends_[record - 1]; }
  std::string record(std::size_t index) const {
    return content_.substr(begin_of(index), ends_[index] - begin_of(index));
  }
  std::size_t record_at(std::size_t offset) const {
    return static_cast<std::size_t>(std::upper_bound(ends_.begin(), ends_.end(), offset) - ends_.begin());
  }

  bool header_is_whole(const std::string& damaged, std::size_t index) const {
    return damaged.compare(begin_of(index), kRecordHeaderSize, content_, begin_of(index),
                           kRecordHeaderSize) == 0;
  }
  // Whether damage that begins in this record looks like a write that a crash interrupted: nothing follows
  // that can be told from a part of that write.
  bool looks_torn(const std::string& damaged, std::size_t hit) const {
    if (hit + 1 == records()) return true;
    if (header_is_whole(damaged, hit))
      return damaged.find_first_not_of('\0', ends_[hit]) == std::string::npos;
    for (std::size_t index = hit + 1; index < records(); ++index) {
      if (header_is_whole(damaged, index)) return false;
    }
    return true;
  }

  // The file opens, says what it said behind its first `kept` records, and can go on; `cut` tells whether
  // bytes are cut off.
  void expect_prefix(const std::string& damaged, std::size_t kept, bool cut, const std::string& what) {
    write_file(path(), damaged);
    auto opened_one = Spool::open(folder_.path());
    ASSERT_TRUE(std::holds_alternative<Spool>(opened_one))
        << what << ": " << std::get<std::string>(opened_one);
    Spool& spool = std::get<Spool>(opened_one);
    ASSERT_EQ(said_by(spool), said_[kept - 1]) << what;
    ASSERT_EQ(spool.cut().empty(), !cut) << what << ": " << spool.cut();
    if (cut) {
      const std::size_t end = ends_[kept - 1];
      ASSERT_NE(spool.cut().find(path()), std::string::npos) << spool.cut();
      ASSERT_NE(spool.cut().find("byte " + std::to_string(end) + " "), std::string::npos) << spool.cut();
      ASSERT_NE(spool.cut().find(" " + std::to_string(damaged.size() - end) + " bytes"), std::string::npos)
          << spool.cut();
    }
    ASSERT_EQ(file_content(path()), content_.substr(0, ends_[kept - 1])) << what;
    if (spool.closed()) return;
    spool.append("one more");
    ASSERT_EQ(spool.sync(), std::nullopt) << what;
    const auto says = said_by(spool);
    auto again = Spool::open(folder_.path());
    ASSERT_TRUE(std::holds_alternative<Spool>(again)) << what << ": " << std::get<std::string>(again);
    ASSERT_EQ(std::get<Spool>(again).cut(), "") << what;
    ASSERT_EQ(said_by(std::get<Spool>(again)), says) << what;
  }

  // The file is refused with the place where it is damaged, and stays as it is.
  void expect_refusal(const std::string& damaged, std::size_t offset, const std::string& what) {
    write_file(path(), damaged);
    const auto spool = Spool::open(folder_.path());
    ASSERT_TRUE(std::holds_alternative<std::string>(spool)) << what;
    const std::string& error = std::get<std::string>(spool);
    ASSERT_NE(error.find(path()), std::string::npos) << what << ": " << error;
    ASSERT_NE(error.find("byte " + std::to_string(offset) + " "), std::string::npos) << what << ": " << error;
    ASSERT_EQ(file_content(path()), damaged) << what;
  }

  TemporaryFolder folder_{TemporaryFolder::Place::kMemory};
  std::string content_;
  std::vector<std::size_t> ends_;
  std::vector<std::optional<SpoolSays>> said_;

 private:
  void remember(const Spool& spool) {
    ends_.push_back(file_content(path()).size());
    said_.push_back(said_by(spool));
    ASSERT_TRUE(said_.back());
  }
};

TEST_F(SpoolDamage, TheFileIsLargeEnoughToMeanSomething) {
  EXPECT_GT(content_.size(), 3500U);
  EXPECT_LT(content_.size(), 4500U);
  EXPECT_EQ(records(), 14U);
  expect_prefix(content_, records(), false, "undamaged");
}

TEST_F(SpoolDamage, CutAtEveryByte) {
  for (std::size_t size = 0; size < content_.size(); ++size) {
    const std::size_t kept = record_at(size);
    const std::string what = "cut at " + std::to_string(size);
    if (kept == 0) {
      expect_refusal(content_.substr(0, size), 0, what);
    } else {
      expect_prefix(content_.substr(0, size), kept, size != ends_[kept - 1], what);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_F(SpoolDamage, EveryBitFlipped) {
  for (std::size_t bit = 0; bit < content_.size() * 8; ++bit) {
    std::string damaged = content_;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const std::size_t hit = record_at(bit / 8);
    const std::string what = "bit " + std::to_string(bit);
    if (hit + 1 == records()) {
      expect_prefix(damaged, hit, true, what);
    } else {
      expect_refusal(damaged, begin_of(hit), what);
    }
    if (HasFatalFailure()) return;
  }
}

TEST_F(SpoolDamage, ABlockOfZerosAnywhere) {
  int torn = 0;
  for (const std::size_t block : {1U, 16U, 64U, 512U}) {
    for (std::size_t begin = 0; begin < content_.size(); begin += 5) {
      const std::size_t end = std::min(begin + block, content_.size());
      std::string damaged = content_;
      std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(begin),
                damaged.begin() + static_cast<std::ptrdiff_t>(end), '\0');
      if (damaged == content_) continue;
      const auto differ =
          std::mismatch(damaged.begin(), damaged.end(), content_.begin()).first - damaged.begin();
      const std::size_t hit = record_at(static_cast<std::size_t>(differ));
      const std::string what = std::to_string(block) + " zeros at " + std::to_string(begin);
      torn += looks_torn(damaged, hit) ? 1 : 0;
      if (hit > 0 && looks_torn(damaged, hit)) {
        expect_prefix(damaged, hit, true, what);
      } else {
        expect_refusal(damaged, begin_of(hit), what);
      }
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_LT(torn, 250);  // else this says little
}

TEST_F(SpoolDamage, ZerosBehindTheEnd) {
  for (const std::size_t count : {1U, 39U, 40U, 41U, 4096U, 3U << 20})
    expect_prefix(content_ + std::string(count, '\0'), records(), true, std::to_string(count));
}

TEST_F(SpoolDamage, GarbageBehindTheEnd) {
  std::mt19937 random(kDamageSeed);
  std::string garbage(5000, '\0');
  for (char& each : garbage)
    each = static_cast<char>(random());
  for (const std::size_t count : {1U, 40U, 5000U})
    expect_prefix(content_ + garbage.substr(0, count), records(), true, std::to_string(count));
  // A block of the file itself is a record, but not the one that belongs there.
  for (std::size_t index = 1; index < records(); ++index)
    expect_refusal(content_ + record(index), content_.size(), "record " + std::to_string(index));
}

TEST_F(SpoolDamage, ARecordTwice) {
  for (std::size_t index = 1; index < records(); ++index) {
    std::string damaged = content_;
    damaged.insert(ends_[index], record(index));
    expect_refusal(damaged, ends_[index], "record " + std::to_string(index));
  }
}

TEST_F(SpoolDamage, ARecordMissing) {
  for (std::size_t index = 1; index + 1 < records(); ++index) {
    std::string damaged = content_;
    damaged.erase(begin_of(index), ends_[index] - begin_of(index));
    expect_refusal(damaged, begin_of(index), "record " + std::to_string(index));
  }
}

TEST_F(SpoolDamage, RecordsInAnotherOrder) {
  for (std::size_t index = 1; index + 1 < records(); ++index) {
    const std::string damaged = content_.substr(0, begin_of(index)) + record(index + 1) + record(index) +
                                content_.substr(ends_[index + 1]);
    expect_refusal(damaged, begin_of(index), "record " + std::to_string(index));
  }
}

TEST_F(SpoolDamage, BlocksDuplicatedOrSwapped) {
  constexpr std::size_t kBlock = 512;
  const std::size_t blocks = content_.size() / kBlock;
  for (std::size_t from = 0; from < blocks; ++from) {
    for (std::size_t to = 0; to < blocks; ++to) {
      if (from == to) continue;
      std::string duplicated = content_;
      duplicated.replace(to * kBlock, kBlock, content_, from * kBlock, kBlock);
      const std::size_t hit = record_at(to * kBlock);
      ASSERT_LT(hit + 1, records());
      expect_refusal(duplicated, begin_of(hit), std::to_string(from) + " also at " + std::to_string(to));
      std::string swapped = duplicated;
      swapped.replace(from * kBlock, kBlock, content_, to * kBlock, kBlock);
      const std::size_t first = record_at(std::min(from, to) * kBlock);
      expect_refusal(swapped, begin_of(first), std::to_string(from) + " for " + std::to_string(to));
      if (HasFatalFailure()) return;
    }
  }
}

TEST_F(SpoolDamage, ARecordOfAnotherRun) {
  TemporaryFolder other_folder;
  SpoolRun other_run = some_run();
  other_run.run_id.back() = 'x';
  auto other = Spool::create(other_folder.path(), other_run);
  ASSERT_TRUE(std::holds_alternative<Spool>(other));
  const std::size_t begin = file_content(other_folder.path("spool")).size();
  std::get<Spool>(other).append("stale");
  sync(std::get<Spool>(other));
  const std::string stale = file_content(other_folder.path("spool")).substr(begin);
  expect_refusal(content_.substr(0, ends_[4]) + stale + content_.substr(ends_[5]), ends_[4], "in the middle");
  // At the end it is what a block of a removed file looks like, which a crash can leave behind.
  expect_prefix(content_ + stale, records(), true, "at the end");
}

TEST_F(SpoolDamage, AnInputThatLooksLikeARecord) {
  TemporaryFolder other_folder;
  {
    SpoolRun other_run = some_run();
    other_run.run_id.back() = 'x';
    auto other = Spool::create(other_folder.path(), other_run);
    ASSERT_TRUE(std::holds_alternative<Spool>(other));
    Spool& spool = std::get<Spool>(other);
    spool.append(content_);
    sync(spool);
  }
  const std::string whole = file_content(other_folder.path("spool"));
  write_file(other_folder.path("spool"), whole.substr(0, whole.size() - 1));
  EXPECT_EQ(opened(other_folder.path()).size(), 0U);
}

TEST_F(SpoolDamage, DamageFoundWhileReadingIsNoInput) {
  write_file(path(), content_);
  const Spool spool = opened(folder_.path());
  std::string damaged = content_;
  damaged[begin_of(6) + kRecordHeaderSize + 90] ^= 1;
  write_file(path(), damaged);
  EXPECT_EQ(spool.read({0, spool.size()}), std::nullopt);
  EXPECT_NE(spool.read({0, 3}), std::nullopt);
}

TEST_F(SpoolDamage, RandomBytesInRandomPlaces) {
  std::mt19937 random(kDamageSeed);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = content_;
    for (std::size_t count = 1 + random() % 20; count > 0; --count)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    if (random() % 4 == 0) damaged.resize(random() % (damaged.size() + 1));
    write_file(path(), damaged);
    const auto opened_one = Spool::open(folder_.path());
    if (!std::holds_alternative<Spool>(opened_one)) continue;
    const auto says = said_by(std::get<Spool>(opened_one));
    ASSERT_NE(std::find(said_.begin(), said_.end(), says), said_.end())
        << "round " << round << ", seed " << kDamageSeed;
  }
}

}  // namespace
}  // namespace fantail
