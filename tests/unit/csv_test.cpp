#include "sink/writers/csv.h"

#include <gtest/gtest.h>

#include "tests/unit/row_support.h"

namespace fantail {
namespace {

std::string csv(const Row& row) {
  std::string out;
  append_csv(row, out);
  return out;
}

TEST(Csv, WritesTheHeader) {
  std::string out;
  append_csv_header({"path", "size"}, out);
  EXPECT_EQ(
      out, "job,input,kind,status,attempt,worker,queued_ms,duration_ms,error_code,error_message,path,size\n");
}

TEST(Csv, WritesAFileRow) {
  EXPECT_EQ(csv(make_file_row(7, "include/zmq.h", 33'000, 4821, 812)),
            "7,include/zmq.h,files,ok,1,w1,0.045,12.345,,,include/zmq.h,33000,8a3fc0de,xxh3,4821,812\n");
}

TEST(Csv, LeavesNullsEmpty) {
  Row row = make_plain_row(3, "files", "a", {{"path", std::string("a")}, {"size", {}}, {"in_stock", {}}});
  row.worker.clear();
  EXPECT_EQ(csv(with_error(row, Status::kFailed, "not_found", "No such file")),
            "3,a,files,failed,1,,0.045,12.345,not_found,No such file,a,,\n");
}

TEST(Csv, QuotesWhatNeedsIt) {
  const Row row = make_plain_row(1, "echo", "a,b",
                                 {{"one", std::string("say \"hi\"")},
                                  {"two", std::string("line\nbreak")},
                                  {"three", std::string("\r")},
                                  {"four", std::string(" plain ")}});
  EXPECT_EQ(csv(row),
            "1,\"a,b\",echo,ok,1,w1,0.045,12.345,,,\"say \"\"hi\"\"\",\"line\nbreak\",\"\r\", plain \n");
}

TEST(Csv, JoinsListsAndSpellsBooleans) {
  const Row row = make_plain_row(1, "urls", "u",
                                 {{"links", std::vector<std::string>{"http://a/", "http://b/?x=1,2"}},
                                  {"none", std::vector<std::string>{}},
                                  {"yes", true},
                                  {"no", false},
                                  {"load_ms", as_milliseconds(7)}});
  EXPECT_EQ(csv(row), "1,u,urls,ok,1,w1,0.045,12.345,,,\"http://a/ http://b/?x=1,2\",,true,false,0.007\n");
}

TEST(Csv, EscapesWhatIsNotUtf8) {
  const Row row = make_plain_row(1, "echo", "caf\xE9,", {{"links", std::vector<std::string>{"\xFF", "é"}}});
  EXPECT_EQ(csv(row), "1,\"caf\\xe9,\",echo,ok,1,w1,0.045,12.345,,,\\xff é\n");
}

}  // namespace
}  // namespace fantail
