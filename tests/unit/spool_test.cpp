#include "ventilator/spool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/support/spool_scene.h"
#include "tests/support/temporary_folder.h"

namespace fantail {
namespace {

constexpr std::uint32_t kSpoolSeed = 20261125;

std::vector<std::string> random_inputs(std::size_t count, std::size_t longest) {
  std::mt19937 random(kSpoolSeed);
  std::vector<std::string> inputs(count);
  for (std::string& input : inputs) {
    input.resize(random() % (longest + 1));
    for (char& each : input)
      each = static_cast<char>(random());
  }
  return inputs;
}

TEST(Spool, KeepsTheRunAndItsInputs) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto inputs = random_inputs(3000, 40);
  {
    Spool spool = created(folder.path());
    for (std::size_t index = 0; index < inputs.size(); ++index) {
      spool.append(inputs[index]);
      if (index % 7 == 0) sync(spool);
    }
    sync(spool);
    EXPECT_EQ(spool.size(), inputs.size());
    EXPECT_EQ(spool.read({0, spool.size()}), inputs);
  }
  const Spool spool = opened(folder.path());
  EXPECT_EQ(spool.run(), some_run());
  EXPECT_EQ(spool.cut(), "");
  EXPECT_EQ(spool.size(), inputs.size());
  EXPECT_EQ(spool.durable(), inputs.size());
  EXPECT_EQ(spool.last_input(), inputs.back());
  EXPECT_EQ(spool.read({0, spool.size()}), inputs);
  EXPECT_FALSE(spool.closed());
  EXPECT_FALSE(spool.acknowledged());
}

TEST(Spool, ReadsAnySpanInAnyOrder) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto inputs = random_inputs(20'000, 30);
  std::mt19937 random(kSpoolSeed);
  Spool spool = created(folder.path());
  for (std::size_t index = 0; index < inputs.size();) {
    for (std::size_t batch = 1 + random() % 300; batch > 0 && index < inputs.size(); --batch)
      spool.append(inputs[index++]);
    sync(spool);
    if (random() % 2 == 0) {
      spool.set_frontier(spool.size());
      sync(spool);
    }
  }
  const Spool again = opened(folder.path());
  for (int count = 0; count < 1000; ++count) {
    const JobId first = random() % inputs.size();
    const JobId end = std::min<JobId>(first + random() % 500, inputs.size());
    const std::vector<std::string> expected(inputs.begin() + static_cast<std::ptrdiff_t>(first),
                                            inputs.begin() + static_cast<std::ptrdiff_t>(end));
    ASSERT_EQ(spool.read({first, end}), expected) << first << " " << end;
    ASSERT_EQ(again.read({first, end}), expected) << first << " " << end;
  }
}

TEST(Spool, OnlyWhatIsDurableCanBeRead) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  spool.append("one");
  EXPECT_EQ(spool.size(), 1U);
  EXPECT_EQ(spool.durable(), 0U);
  EXPECT_EQ(spool.read({0, 1}), std::nullopt);
  EXPECT_EQ(opened(folder.path()).size(), 0U);
  sync(spool);
  EXPECT_EQ(spool.read({0, 1}), std::vector<std::string>{"one"});
  EXPECT_EQ(spool.read({0, 2}), std::nullopt);
  EXPECT_EQ(spool.read({1, 1}), std::vector<std::string>{});
}

TEST(Spool, ASyncWithoutNewsWritesNothing) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  spool.append("");
  sync(spool);
  const auto size = std::filesystem::file_size(folder.path("spool"));
  sync(spool);
  spool.set_frontier(0);
  sync(spool);
  EXPECT_EQ(std::filesystem::file_size(folder.path("spool")), size);
}

TEST(Spool, TheHashDoesNotDependOnBatches) {
  const auto inputs = random_inputs(500, 20);
  std::vector<std::string> hashes;
  for (const std::size_t batch : {1U, 7U, 500U}) {
    const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
    Spool spool = created(folder.path());
    for (std::size_t index = 0; index < inputs.size(); ++index) {
      spool.append(inputs[index]);
      if ((index + 1) % batch == 0) sync(spool);
    }
    hashes.push_back(spool.inputs_hash());
    sync(spool);
    EXPECT_EQ(opened(folder.path()).inputs_hash(), hashes.back());
  }
  EXPECT_EQ(hashes[0].size(), 16U);
  EXPECT_EQ(hashes[0], hashes[1]);
  EXPECT_EQ(hashes[0], hashes[2]);
}

TEST(Spool, TheHashTellsInputsApart) {
  std::vector<std::string> hashes;
  const std::vector<std::vector<std::string>> streams = {{},         {""},       {"", ""},   {"ab"},
                                                         {"a", "b"}, {"b", "a"}, {"ab", ""}, {"", "ab"}};
  for (const auto& stream : streams) {
    std::string hash = first_inputs_hash();
    for (const auto& input : stream)
      roll_inputs_hash(hash, input);
    EXPECT_EQ(std::count(hashes.begin(), hashes.end(), hash), 0);
    hashes.push_back(hash);
  }
}

TEST(Spool, GeneratedInputsAreMadeOnRead) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  {
    Spool spool = created(folder.path());
    spool.append_generated(10'000'000, 4);
    EXPECT_EQ(spool.last_input(), "9999999");
    sync(spool);
    EXPECT_LT(std::filesystem::file_size(folder.path("spool")), 1000U);
  }
  const Spool spool = opened(folder.path());
  EXPECT_EQ(spool.size(), 10'000'000U);
  EXPECT_EQ(spool.last_input(), "9999999");
  EXPECT_EQ(spool.read({0, 2}), (std::vector<std::string>{"0...", "1..."}));
  EXPECT_EQ(spool.read({9'999, 10'001}), (std::vector<std::string>{"9999", "10000"}));
  EXPECT_EQ(spool.read({9'999'999, 10'000'000}), std::vector<std::string>{"9999999"});
}

TEST(Spool, GeneratedAndKeptInputsMix) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  spool.append("a");
  spool.append_generated(2, 3);
  spool.append_generated(0, 3);
  spool.append("b");
  sync(spool);
  spool.append_generated(1, 0);
  sync(spool);
  const std::vector<std::string> expected = {"a", "0..", "1..", "b", "0"};
  EXPECT_EQ(spool.read({0, 5}), expected);
  EXPECT_EQ(said_by(opened(folder.path())), said_by(spool));
}

TEST(Spool, TellsHowManyInputsFit) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  for (const char* input : {"aaa", "", "bbbb", "c"})
    spool.append(input);
  sync(spool);
  spool.append("dd");
  spool.append_generated(100, 50);
  sync(spool);
  const auto fitting = [&spool](JobSpan jobs, std::uint64_t bytes) {
    const auto fits = spool.fitting(jobs, bytes);
    return std::pair(fits.value_or(999), bytes);
  };
  using Fits = std::pair<std::uint64_t, std::uint64_t>;
  EXPECT_EQ(fitting({0, 5}, 100), (Fits{5, 90})) << "over two records";
  EXPECT_EQ(fitting({0, 5}, 7), (Fits{3, 0}));
  EXPECT_EQ(fitting({0, 5}, 6), (Fits{2, 3})) << "an empty one always fits";
  EXPECT_EQ(fitting({2, 4}, 100), (Fits{2, 95}));
  EXPECT_EQ(fitting({2, 4}, 3), (Fits{0, 3}));
  EXPECT_EQ(fitting({4, 105}, 102 + 7), (Fits{3, 7}));
  EXPECT_EQ(fitting({0, 106}, 100), (Fits{999, 100})) << "there are not so many";
}

TEST(Spool, AFrontierThatIsAheadIsWithinTheSpoolOnceItIsOpened) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  spool.append("one");
  spool.set_frontier(1000);
  sync(spool);
  spool.append("two");
  sync(spool);
  EXPECT_EQ(opened(folder.path()).frontier(), 2U);
}

TEST(Spool, KeepsWhatTheVentilatorMustKnow) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  for (const char* input : {"one", "two", "three"})
    spool.append(input);
  spool.set_frontier(1);
  spool.set_frontier(2);
  spool.add_deaths({0, 1}, false);
  sync(spool);
  spool.add_deaths({1}, true);
  spool.add_deaths({}, false);
  spool.close_input(false, 7);
  sync(spool);
  {
    const Spool again = opened(folder.path());
    EXPECT_EQ(again.frontier(), 2U);
    const std::map<JobId, Deaths> deaths = {{0, {1, 0}}, {1, {2, 1}}};
    EXPECT_EQ(again.deaths(), deaths);
    EXPECT_TRUE(again.closed());
    EXPECT_FALSE(again.input_complete());
    EXPECT_EQ(again.skipped(), 7U);
    EXPECT_FALSE(again.acknowledged());
    EXPECT_EQ(said_by(again), said_by(spool));
  }
  EXPECT_EQ(opened(folder.path()).stop(), StopDecision{});
  spool.set_stop({proto::STOP_QUEUED, proto::RUN_END_INTERRUPTED, "interrupted"});
  EXPECT_EQ(opened(folder.path()).stop(), StopDecision{}) << "not synced yet";
  sync(spool);
  spool.set_stop({proto::STOP_RUNNING, proto::RUN_END_INTERRUPTED, std::string(300, 'r')});
  sync(spool);
  EXPECT_EQ(said_by(opened(folder.path())), said_by(spool));
  spool.acknowledge();
  spool.acknowledge();
  sync(spool);
  EXPECT_TRUE(opened(folder.path()).acknowledged());
}

TEST(Spool, GoesOnWhereItWasAfterEveryReopening) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto inputs = random_inputs(60, 100);
  created(folder.path());
  for (std::size_t index = 0; index < inputs.size(); ++index) {
    Spool spool = opened(folder.path());
    EXPECT_EQ(spool.cut(), "");
    EXPECT_EQ(spool.size(), index);
    spool.append(inputs[index]);
    spool.set_frontier(index);
    sync(spool);
  }
  Spool spool = opened(folder.path());
  spool.close_input(true, 0);
  sync(spool);
  EXPECT_EQ(spool.read({0, inputs.size()}), inputs);
  EXPECT_EQ(spool.frontier(), inputs.size() - 1);
  EXPECT_TRUE(opened(folder.path()).input_complete());
}

TEST(Spool, ManyLongInputsBetweenTwoSyncs) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  Spool spool = created(folder.path());
  std::vector<std::string> inputs;
  for (int count = 0; count < 20; ++count)
    inputs.emplace_back(std::size_t{1} << 20, static_cast<char>('a' + count));
  inputs.emplace_back(std::size_t{6} << 20, '-');
  for (const std::string& input : inputs)
    spool.append(input);
  spool.close_input(true, 0);
  sync(spool);
  EXPECT_EQ(spool.durable(), inputs.size());
  EXPECT_EQ(spool.read({0, inputs.size()}), inputs);
  EXPECT_EQ(said_by(opened(folder.path())), said_by(spool));
}

TEST(Spool, AMillionInputs) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  constexpr std::uint64_t kInputs = 1'000'000;
  std::string hash;
  {
    Spool spool = created(folder.path());
    for (std::uint64_t index = 0; index < kInputs; ++index) {
      spool.append("/some/folder/file-" + std::to_string(index));
      if (index % 1024 == 1023) sync(spool);
    }
    sync(spool);
    hash = spool.inputs_hash();
  }
  const Spool spool = opened(folder.path());
  EXPECT_EQ(spool.size(), kInputs);
  EXPECT_EQ(spool.inputs_hash(), hash);
  EXPECT_EQ(spool.read({777'777, 777'778}), std::vector<std::string>{"/some/folder/file-777777"});
}

TEST(Spool, NeverReplacesOneThatIsThere) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  created(folder.path());
  const auto second = Spool::create(folder.path(), some_run());
  ASSERT_TRUE(std::holds_alternative<std::string>(second));
  EXPECT_NE(std::get<std::string>(second).find(folder.path("spool")), std::string::npos);
  EXPECT_EQ(opened(folder.path()).run(), some_run());
}

TEST(Spool, SaysWhyItCannotBeMadeOrOpened) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  const auto made = Spool::create(folder.path("absent"), some_run());
  ASSERT_TRUE(std::holds_alternative<std::string>(made));
  EXPECT_NE(std::get<std::string>(made).find(folder.path("absent/spool")), std::string::npos);
  const auto opened_one = Spool::open(folder.path());
  ASSERT_TRUE(std::holds_alternative<std::string>(opened_one));
  EXPECT_NE(std::get<std::string>(opened_one).find(folder.path("spool")), std::string::npos);
}

TEST(Spool, AFileOfANewerFantailIsRefusedByASentence) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  std::string payload;
  put_run(payload, some_run());
  ++payload[1];  // behind the tag
  RecordChain chain;
  const std::string record = chain.seal(payload + "whatever a newer one keeps there");
  write_file(folder.path("spool"), record);
  const auto spool = Spool::open(folder.path());
  ASSERT_TRUE(std::holds_alternative<std::string>(spool));
  EXPECT_NE(std::get<std::string>(spool).find("newer"), std::string::npos) << std::get<std::string>(spool);
  EXPECT_EQ(file_content(folder.path("spool")), record);
}

TEST(Spool, AnEntryOfAnUnknownKindIsRefused) {
  const TemporaryFolder folder(TemporaryFolder::Place::kMemory);
  std::string payload;
  put_run(payload, some_run());
  RecordChain chain;
  const std::string first = chain.seal(payload);
  write_file(folder.path("spool"), first + chain.seal("\x7f"));
  const auto spool = Spool::open(folder.path());
  ASSERT_TRUE(std::holds_alternative<std::string>(spool));
  EXPECT_NE(std::get<std::string>(spool).find("byte " + std::to_string(first.size())), std::string::npos);
}

}  // namespace
}  // namespace fantail
