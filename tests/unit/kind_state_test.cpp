// An aggregate that is saved and taken up again goes on as one that was never disturbed.
#include "sink/kinds/kind_state.h"

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "kinds.pb.h"
#include "outcome_support.h"
#include "sink/kinds/kind.h"

namespace fantail {
namespace {

constexpr std::uint64_t kJobs = 400;

struct KindCase {
  std::string name;
  proto::KindSpec spec;
};

std::vector<KindCase> kind_cases() {
  std::vector<KindCase> cases(5);
  cases[0].name = "files";
  cases[0].spec.mutable_files()->set_hash_algorithm("xxh3");
  cases[1].name = "urls";
  cases[1].spec.mutable_urls();
  cases[2].name = "prices";
  cases[2].spec.mutable_prices();
  cases[3].name = "echo";
  cases[3].spec.mutable_echo();
  cases[4].name = "map";
  cases[4].spec.mutable_map()->set_sum(".");
  return cases;
}

// One random outcome; the strings hold what the outcome's views show.
struct Job {
  std::string input;
  std::string payload;
  Outcome outcome;
};

std::string random_payload(const std::string& kind, std::mt19937_64& random) {
  if (kind == "files") {
    proto::FilesResult result;
    result.set_size(random() % 50);  // small, so that there are equal ones
    result.set_hash("\xAB\x01");
    result.set_words(random() % 1000);
    result.set_lines(random() % 100);
    return result.SerializeAsString();
  }
  if (kind == "urls") {
    proto::UrlsResult result;
    result.set_final_url("http://a/");
    result.set_status_code(static_cast<std::uint32_t>(random() % 5 == 0 ? 0 : 100 + random() % 900));
    result.set_words(random() % 1000);
    for (std::uint64_t links = random() % 4; links > 0; --links)
      result.add_links("http://b/");
    result.set_bytes(random() % 100'000);
    result.set_load_us(random() % 90'000'000);
    return result.SerializeAsString();
  }
  if (kind == "prices") {
    proto::PricesResult result;
    result.set_has_price(random() % 8 != 0);
    result.set_minor_digits(static_cast<std::uint32_t>(random() % 3));
    result.set_minor_units(static_cast<std::int64_t>(random() % 40));
    result.set_currency(random() % 2 == 0 ? "USD" : "EUR");
    if (random() % 8 != 0) result.set_in_stock(random() % 4 != 0);
    return result.SerializeAsString();
  }
  if (kind == "map") {
    proto::MapResult result;
    result.set_json(random() % 8 == 0 ? "[]" : std::to_string(random()) + "." + std::to_string(random()));
    return result.SerializeAsString();
  }
  return {};
}

std::vector<Job> random_jobs(const std::string& kind, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<Job> jobs(kJobs);
  for (std::uint64_t id = 0; id < kJobs; ++id) {
    Job& job = jobs[id];
    job.input = "item\xFF" + std::to_string(random() % 20);
    if (kind == "prices") job.input += "@vendor" + std::to_string(random() % 6);
    const auto status = static_cast<Status>(random() % 3 == 0 ? 1 + random() % 4 : 1);
    if (status != Status::kCancelled) job.payload = random_payload(kind, random);
    job.outcome = make_outcome(id, status, job.input, job.payload);
    job.outcome.duration_us = random() % 30;
  }
  return jobs;
}

std::string shown(const Kind& kind) {
  std::string text = kind.aggregate(RunSummary{}).dump() + "\n" + kind.summary_totals();
  for (const std::string& line : kind.summary_lines())
    text += "\n" + line;
  return text;
}

TEST(KindState, GoesOnAsIfNeverDisturbed) {
  constexpr std::uint64_t kSeed = 20'261;
  SCOPED_TRACE(testing::Message() << "seed " << kSeed);
  for (const KindCase& each : kind_cases()) {
    SCOPED_TRACE(each.name);
    const std::vector<Job> jobs = random_jobs(each.name, kSeed);
    const std::unique_ptr<Kind> undisturbed = make_kind(each.spec);
    std::unique_ptr<Kind> interrupted = make_kind(each.spec);
    for (std::uint64_t id = 0; id < kJobs; ++id) {
      if (id % 37 == 0) {  // at the very beginning too
        std::unique_ptr<Kind> fresh = make_kind(each.spec);
        ASSERT_TRUE(fresh->load(interrupted->save()));
        EXPECT_EQ(shown(*fresh), shown(*undisturbed));
        interrupted = std::move(fresh);
      }
      const XXH128_hash_t hash = undisturbed->add(jobs[id].outcome);
      EXPECT_TRUE(equal(interrupted->add(jobs[id].outcome), hash));
    }
    EXPECT_EQ(shown(*interrupted), shown(*undisturbed));
    EXPECT_EQ(interrupted->save(), undisturbed->save());
  }
}

TEST(KindState, DoesNotDependOnTheOrderOfArrival) {
  for (const KindCase& each : kind_cases()) {
    SCOPED_TRACE(each.name);
    const std::vector<Job> jobs = random_jobs(each.name, 7);
    const std::unique_ptr<Kind> forward = make_kind(each.spec);
    const std::unique_ptr<Kind> backward = make_kind(each.spec);
    for (std::uint64_t id = 0; id < kJobs; ++id) {
      forward->add(jobs[id].outcome);
      backward->add(jobs[kJobs - 1 - id].outcome);
    }
    EXPECT_EQ(forward->save(), backward->save());
  }
}

TEST(KindState, RefusesDamageAndStaysAsItWas) {
  for (const KindCase& each : kind_cases()) {
    SCOPED_TRACE(each.name);
    const std::unique_ptr<Kind> kind = make_kind(each.spec);
    for (const Job& job : random_jobs(each.name, 3))
      kind->add(job.outcome);
    const std::string saved = kind->save();
    const std::unique_ptr<Kind> other = make_kind(each.spec);
    const std::string before = shown(*other);
    for (std::size_t size = 0; size < saved.size(); ++size)
      EXPECT_FALSE(other->load(std::string_view(saved).substr(0, size))) << size;
    for (std::size_t bit = 0; bit < 8 * saved.size(); ++bit) {
      std::string damaged = saved;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      EXPECT_FALSE(other->load(damaged)) << bit;
    }
    EXPECT_EQ(shown(*other), before);
    EXPECT_TRUE(other->load(saved));
  }
}

TEST(KindState, RefusesTheBytesOfAnotherKind) {
  for (const KindCase& one : kind_cases()) {
    for (const KindCase& other : kind_cases()) {
      EXPECT_EQ(make_kind(one.spec)->load(make_kind(other.spec)->save()), one.name == other.name)
          << one.name << " of " << other.name;
    }
  }
}

// Well sealed, and yet nothing that a kind can have saved.
TEST(KindState, RefusesWhatCannotBe) {
  const std::vector<KindCase> cases = kind_cases();
  proto::KindState histogram;
  histogram.mutable_urls()->mutable_load_times()->add_counts(1);
  EXPECT_FALSE(make_kind(cases[1].spec)->load(seal_state(histogram)));
  proto::KindState items;
  for (int i = 0; i < 6; ++i)
    items.mutable_files()->mutable_slowest()->add_items();
  EXPECT_FALSE(make_kind(cases[0].spec)->load(seal_state(items)));
  proto::KindState quote;
  quote.mutable_prices()->add_best()->set_minor_units(-1);
  EXPECT_FALSE(make_kind(cases[2].spec)->load(seal_state(quote)));
  proto::KindState sum;
  sum.mutable_map()->set_sum("1.");
  EXPECT_FALSE(make_kind(cases[4].spec)->load(seal_state(sum)));
}

}  // namespace
}  // namespace fantail
