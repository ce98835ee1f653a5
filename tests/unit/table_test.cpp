#include "sink/writers/table.h"

#include <gtest/gtest.h>

#include <sstream>

#include "sink/writers/text.h"
#include "tests/unit/row_support.h"

namespace fantail {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  return lines;
}

Row make_quote_row(std::uint64_t job, const std::string& vendor, const std::string& product,
                   const std::string& price, FieldValue in_stock) {
  return make_plain_row(job, "prices", product + "@" + vendor,
                        {{"vendor", vendor},
                         {"product", product},
                         {"price", price},
                         {"currency", std::string("USD")},
                         {"in_stock", std::move(in_stock)},
                         {"load_ms", as_milliseconds(11'000)}});
}

Table file_table() {
  Table table(false);
  table.add(make_file_row(2, "include/zmq.h", 33'792, 4821, 812));
  table.add(make_file_row(0, "a", 1, 1, 1));
  table.add(with_error(make_plain_row(5, "files", "gone", {{"path", std::string("gone")}, {"size", {}}}),
                       Status::kFailed, "not_found", "cannot open: No such file or directory"));
  table.add(with_error(make_plain_row(4, "files", "late", {{"path", {}}}), Status::kCancelled, "cancelled",
                       "stopped"));
  return table;
}

TEST(Table, ShowsFiles) {
  EXPECT_EQ(file_table().render(100, true, false),
            "✗ gone           not_found: cannot open: No such file or directory\n"
            "✓ a              1 byte      1 word     1 line   xxh3 8a3f…  12 ms\n"
            "✓ include/zmq.h  33 KiB  4,821 words  812 lines  xxh3 8a3f…  12 ms\n"
            "- late           cancelled\n");
}

TEST(Table, ShowsFilesInAscii) {
  EXPECT_EQ(file_table().render(100, false, false),
            "FAIL gone           not_found: cannot open: No such file or directory\n"
            "ok   a              1 byte      1 word     1 line   xxh3 8a3f...  12 ms\n"
            "ok   include/zmq.h  33 KiB  4,821 words  812 lines  xxh3 8a3f...  12 ms\n"
            "-    late           cancelled\n");
}

TEST(Table, ColoursTheMarks) {
  const std::vector<std::string> lines = lines_of(file_table().render(100, true, true));
  EXPECT_TRUE(lines[3].starts_with("\x1b[33m-\x1b[0m late")) << lines[3];
  EXPECT_TRUE(lines[0].starts_with("\x1b[31m✗\x1b[0m gone")) << lines[0];
  EXPECT_TRUE(lines[1].starts_with("\x1b[32m✓\x1b[0m a ")) << lines[1];
}

TEST(Table, ShowsPages) {
  Table table(false);
  table.add(make_url_row(0, "http://a.example/", "Start"));
  table.add(make_url_row(1, "http://a.example/plain", ""));
  Row missing = make_url_row(2, "http://a.example/no", "Not Found");
  missing.fields[2].value = std::uint64_t{404};
  table.add(with_error(missing, Status::kFailed, "http_status", "the server answered 404"));
  table.add(
      with_error(make_plain_row(3, "urls", "http://b.example/", {{"url", std::string("http://b.example/")}}),
                 Status::kFailed, "timeout", "no answer within 10 s"));
  EXPECT_EQ(table.render(100, true, false),
            "✗ 404 http://a.example/no     http_status: the server answered 404\n"
            "✗     http://b.example/       timeout: no answer within 10 s\n"
            "✓ 200 http://a.example/       \"Start\"  1,234 words  45 links  12 ms\n"
            "✓ 200 http://a.example/plain           1,234 words  45 links  12 ms\n");
}

TEST(Table, ShowsQuotes) {
  Table table(false);
  table.add(make_quote_row(0, "BestBuy", "B0001", "62.45", true));
  table.add(make_quote_row(1, "Target", "B0001", "162.45", false));
  table.add(make_quote_row(2, "Costco", "B0001", "2.00", {}));
  EXPECT_EQ(table.render(100, true, false),
            "✓ BestBuy   USD 62.45      in stock  12 ms\n"
            "✓ Target   USD 162.45  out of stock  12 ms\n"
            "✓ Costco     USD 2.00                12 ms\n");
}

TEST(Table, NamesTheProductsWhereThereAreSeveral) {
  Table table(false);
  table.add(make_quote_row(0, "BestBuy", "B0001", "62.45", true));
  table.add(make_quote_row(1, "BestBuy", "B0002", "99.00", true));
  EXPECT_EQ(table.render(100, true, false),
            "✓ BestBuy  B0001  USD 62.45  in stock  12 ms\n"
            "✓ BestBuy  B0002  USD 99.00  in stock  12 ms\n");
}

TEST(Table, ShowsFortyLinesAndCountsTheRest) {
  Table table(false);
  for (std::uint64_t job = 8466; job > 0; --job)
    table.add(make_plain_row(job, "echo", "job " + std::to_string(job), {}));
  const auto lines = lines_of(table.render(80, true, false));
  ASSERT_EQ(lines.size(), 41u);
  EXPECT_EQ(lines[0], "✓ job 1   12 ms");
  EXPECT_EQ(lines[39], "✓ job 40  12 ms");
  EXPECT_EQ(lines[40], "… 8,426 more (--all)");
  EXPECT_EQ(lines_of(table.render(80, false, false))[40], "... 8,426 more (--all)");
}

TEST(Table, ShowsFailuresFirst) {
  Table table(false);
  for (std::uint64_t job = 0; job < 100; ++job) {
    Row row = make_plain_row(job, "echo", std::to_string(job), {});
    table.add(job % 5 == 0 ? with_error(row, Status::kFailed, "internal", "broken") : row);
  }
  const auto lines = lines_of(table.render(80, true, false));
  ASSERT_EQ(lines.size(), 41u);
  EXPECT_EQ(lines[0], "✗ 0   internal: broken");
  EXPECT_EQ(lines[19], "✗ 95  internal: broken");
  EXPECT_EQ(lines[20], "✓ 1   12 ms");
  EXPECT_EQ(lines[40], "… 60 more (--all)");
}

TEST(Table, JobsThatNeverEndedHideNeitherFailuresNorResults) {
  Table table(false);
  for (std::uint64_t job = 0; job < 1000; ++job) {
    const Row row = make_plain_row(job, "echo", std::to_string(job), {});
    table.add(with_error(row, job % 2 == 0 ? Status::kCancelled : Status::kExpired, "expired", "too late"));
  }
  table.add(make_plain_row(2000, "echo", "fine", {}));
  table.add(with_error(make_plain_row(3000, "echo", "bad", {}), Status::kFailed, "internal", "broken"));
  const auto lines = lines_of(table.render(80, true, false));
  ASSERT_EQ(lines.size(), 41u);
  EXPECT_EQ(lines[0], "✗ bad   internal: broken");
  EXPECT_EQ(lines[1], "✓ fine  12 ms");
  EXPECT_EQ(lines[2], "- 0     cancelled");
  EXPECT_EQ(lines[3], "- 1     expired");
  EXPECT_EQ(lines[40], "… 962 more (--all)");
}

TEST(Table, ShowsAllWhenAsked) {
  Table table(true);
  for (std::uint64_t job = 0; job < 100; ++job)
    table.add(make_plain_row(job, "echo", std::to_string(job), {}));
  EXPECT_EQ(lines_of(table.render(80, true, false)).size(), 100u);
}

TEST(Table, IsEmptyWithoutRows) {
  EXPECT_EQ(Table(false).render(80, true, true), "");
}

TEST(Table, CutsLongNamesInTheMiddle) {
  Table table(false);
  table.add(make_file_row(0, "usr/include/a/very/long/way/down/to/the/header.h", 33'792, 4821, 812));
  EXPECT_EQ(table.render(80, true, false),
            "✓ usr/include/a…/the/header.h  33 KiB  4,821 words  812 lines  xxh3 8a3f…  12 ms\n");
  table.add(with_error(make_plain_row(1, "files", "x", {}), Status::kFailed, "io_error", "bad disk"));
  EXPECT_EQ(lines_of(table.render(80, true, false))[0], "✗ x                            io_error: bad disk");
}

TEST(Table, LeavesOutFactsRatherThanNamesOnANarrowTerminal) {
  Table table(false);
  table.add(make_file_row(0, "usr/include/a/very/long/way/down/to/the/header.h", 33'792, 4821, 812));
  table.add(with_error(make_plain_row(1, "files", "usr/include/no/such/file.h", {}), Status::kFailed,
                       "not_found", "cannot open: No such file or directory"));
  EXPECT_EQ(table.render(40, true, false),
            "✗ usr/inc…h/file.h  not_found: cannot o…\n"
            "✓ usr/inc…header.h  33 KiB  4,821 words\n");
  EXPECT_EQ(table.render(20, true, false),
            "✗ us…e.h  not_found…\n"
            "✓ us…r.h\n");
}

TEST(Table, NeverExceedsTheWidth) {
  Table table(false);
  table.add(make_file_row(0, "漢字/" + std::string(300, 'x') + "/😀", ~0ull, ~0ull, ~0ull));
  table.add(make_url_row(1, "http://example/" + std::string(200, 'y'), std::string(300, 'T')));
  table.add(with_error(make_plain_row(2, "files", std::string(100, 'z'), {}), Status::kFailed, "os_error",
                       std::string(500, 'm')));
  for (unsigned width = 0; width < 400; ++width) {
    for (const bool unicode : {true, false}) {
      for (const std::string& line : lines_of(table.render(width, unicode, false)))
        ASSERT_LE(display_width(line), width) << line;
    }
  }
}

TEST(Table, ShowsHostileTextEscaped) {
  Table table(false);
  table.add(make_url_row(0, "http://e/\x1b[2J", "ti\ntle \u202Egnp \xFF\u009B"));
  table.add(with_error(make_plain_row(1, "urls", "a\rb", {}), Status::kFailed, "co\nde", "mess\x1b]0;age"));
  for (const bool unicode : {true, false}) {
    const std::string text = table.render(200, unicode, false);
    EXPECT_EQ(lines_of(text).size(), 2u);
    EXPECT_EQ(escape_control(text.substr(0, text.find('\n'))), text.substr(0, text.find('\n')));
    EXPECT_NE(text.find("http://e/\\x1b[2J"), std::string::npos) << text;
    EXPECT_NE(text.find("\"ti\\ntle \\u202egnp \\xff\\u009b\""), std::string::npos) << text;
    EXPECT_NE(text.find("a\\rb"), std::string::npos) << text;
    EXPECT_NE(text.find("co\\nde: mess\\x1b]0;age"), std::string::npos) << text;
  }
}

TEST(Table, IsPureAsciiWithoutUnicode) {
  Table table(false);
  table.add(make_file_row(0, "größe…", 1, 2, 3));
  const std::string text = table.render(200, false, false);
  EXPECT_TRUE(text.starts_with("ok gr\\u00f6\\u00dfe...  ")) << text;
  for (const char c : text)
    EXPECT_LT(static_cast<unsigned char>(c), 0x80);
}

TEST(Table, BoundsWhatItKeepsOfAHugeName) {
  Table table(false);
  std::string marks = "a";
  for (int i = 0; i < 100'000; ++i)
    marks += "\u0301";
  table.add(make_plain_row(0, "echo", marks, {}));
  table.add(make_plain_row(1, "echo", std::string(1'000'000, 'x'), {}));
  EXPECT_LT(table.render(80, true, false).size(), 10'000u);
}

}  // namespace
}  // namespace fantail
