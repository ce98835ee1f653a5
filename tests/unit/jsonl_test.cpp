#include "sink/writers/jsonl.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "sink/writers/text.h"
#include "tests/unit/row_support.h"

namespace fantail {
namespace {

std::string jsonl(const Row& row) {
  std::string out;
  append_jsonl(row, out);
  return out;
}

TEST(Jsonl, WritesAFileRow) {
  EXPECT_EQ(jsonl(make_file_row(7, "include/zmq.h", 33'000, 4821, 812)),
            R"({"job":7,"input":"include/zmq.h","kind":"files","status":"ok","attempt":1,"worker":"w1",)"
            R"("queued_ms":0.045,"duration_ms":12.345,"error":null,"path":"include/zmq.h","size":33000,)"
            R"("hash":"8a3fc0de","hash_algorithm":"xxh3","words":4821,"lines":812})"
            "\n");
}

TEST(Jsonl, WritesWhatNobodyStarted) {
  Row row = with_error(make_plain_row(0, "echo", "x", {{"payload", {}}}), Status::kCancelled, "cancelled",
                       "stopped");
  row.attempt = 0;
  row.worker.clear();
  row.queued_us = row.duration_us = 0;
  EXPECT_EQ(
      jsonl(row),
      R"({"job":0,"input":"x","kind":"echo","status":"cancelled","attempt":0,"worker":null,"queued_ms":0.000,)"
      R"("duration_ms":0.000,"error":{"code":"cancelled","message":"stopped"},"payload":null})"
      "\n");
}

TEST(Jsonl, WritesEveryTypeOfValue) {
  const Row row = make_plain_row(1, "urls", "u",
                                 {{"no", false},
                                  {"yes", true},
                                  {"load_ms", as_milliseconds(1'000'001)},
                                  {"links", std::vector<std::string>{"a", "b\""}},
                                  {"none", std::vector<std::string>{}},
                                  {"big", std::numeric_limits<std::uint64_t>::max()}});
  const std::string line = jsonl(row);
  EXPECT_NE(
      line.find(
          R"("no":false,"yes":true,"load_ms":1000.001,"links":["a","b\""],"none":[],"big":18446744073709551615})"),
      std::string::npos)
      << line;
}

TEST(Jsonl, PutsExactBytesBesideWhatIsNotUtf8) {
  Row row =
      make_plain_row(1, "files", "caf\xE9", {{"path", std::string("caf\xE9")}, {"size", std::uint64_t{1}}});
  row = with_error(row, Status::kFailed, "io_error", "bad \xFF");
  const std::string line = jsonl(row);
  EXPECT_NE(line.find(R"("input":"caf\\xe9","input_base64":"Y2Fm6Q==","kind")"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("path":"caf\\xe9","path_base64":"Y2Fm6Q==","size":1)"), std::string::npos) << line;
  EXPECT_NE(line.find(R"("message":"bad \\xff","message_base64":"YmFkIP8="})"), std::string::npos) << line;
}

TEST(Jsonl, PutsTheExactBytesOfAWholeListBesideIt) {
  const Row row = make_plain_row(1, "urls", "u", {{"links", std::vector<std::string>{"a", "\xFF"}}});
  const std::string line = jsonl(row);
  EXPECT_NE(line.find(R"("links":["a","\\xff"],"links_base64":["YQ==","/w=="]})"), std::string::npos) << line;
}

TEST(Jsonl, KeepsMillisecondsExact) {
  Row row = make_plain_row(1, "echo", "x", {});
  row.queued_us = 9'007'199'254'740'993;  // 2^53 + 1: a double would lose the last digit
  row.duration_us = std::numeric_limits<std::uint64_t>::max();
  const std::string line = jsonl(row);
  EXPECT_NE(line.find(R"("queued_ms":9007199254740.993,"duration_ms":18446744073709551.615,)"),
            std::string::npos)
      << line;
}

TEST(Jsonl, AParserReadsBackWhateverTheBytesWere) {
  const unsigned seed = std::random_device{}();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes;
    for (auto count = random() % 24; count > 0; --count)
      bytes += static_cast<char>(random() % (round % 2 == 0 ? 128 : 256));
    const std::string line = jsonl(make_plain_row(1, "echo", bytes, {{"payload", bytes}}));
    ASSERT_EQ(line.find('\n'), line.size() - 1);
    const auto parsed = nlohmann::json::parse(line, nullptr, false);
    ASSERT_FALSE(parsed.is_discarded()) << line;
    ASSERT_EQ(parsed.contains("payload_base64"), !is_valid_utf8(bytes)) << line;
    if (is_valid_utf8(bytes)) {
      EXPECT_EQ(parsed["payload"].get<std::string>(), bytes);
    } else {
      EXPECT_EQ(parsed["payload_base64"].get<std::string>(), base64(bytes));
    }
  }
}

TEST(Jsonl, AppendsToWhatIsThere) {
  std::string out = "first\n";
  append_jsonl(make_plain_row(1, "echo", "x", {}), out);
  EXPECT_TRUE(out.starts_with("first\n{\"job\":1,"));
}

}  // namespace
}  // namespace fantail
