#include "pipeline/money.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/currencies.h"

namespace fantail {
namespace {

// The amount in minor units, or the error's code.
std::string parsed_money(std::string_view text, std::string_view currency) {
  const auto result = parse_money(text, currency);
  if (const auto* error = std::get_if<MoneyError>(&result)) return error->code;
  return std::to_string(std::get<Money>(result).minor_units);
}

TEST(Money, ReadsAmountsExactly) {
  struct Case {
    std::string_view text, currency, minor_units;
  };
  const Case cases[] = {
      {"1.01", "USD", "101"},
      {"8.16", "USD", "816"},
      {"8.165", "KWD", "8165"},
      {"1.005", "KWD", "1005"},
      {"62.45", "USD", "6245"},
      {"5", "USD", "500"},
      {"0.1", "USD", "10"},
      {"1234.50", "USD", "123450"},
      {"1234", "JPY", "1234"},
      {"1234.00", "JPY", "1234"},
      {"1234.0000000000000000000000000", "JPY", "1234"},
      {"1.5e2", "USD", "15000"},
      {"1E2", "USD", "10000"},
      {"1e+2", "JPY", "100"},
      {"12345e-2", "USD", "12345"},
      {"1000e-3", "JPY", "1"},
      {"0.001e3", "JPY", "1"},
      {" \t\r\n 7.5 \n", "USD", "750"},
      {"007.50", "USD", "750"},
      {"0.12345", "CLF", "bad_price"},
      {"0.1234", "CLF", "1234"},
      {"123456789012345678", "JPY", "123456789012345678"},
      {"9999999999999999.99", "USD", "999999999999999999"},
      {"0000000000000000000000000001", "JPY", "1"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(parsed_money(c.text, c.currency), c.minor_units) << c.text << " " << c.currency;
}

TEST(Money, ReadsZero) {
  for (const char* text : {"0", "-0", "0.00", "-0.0", "0e400", "0.000000000", "0e-99999999999999999999"})
    EXPECT_EQ(parsed_money(text, "USD"), "0") << text;
}

TEST(Money, RefusesDigitsBeyondTheMinorUnit) {
  EXPECT_EQ(parsed_money("1.005", "USD"), "bad_price");
  EXPECT_EQ(parsed_money("8.165", "USD"), "bad_price");
  EXPECT_EQ(parsed_money("1234.50", "JPY"), "bad_price");
  EXPECT_EQ(parsed_money("1e-3", "USD"), "bad_price");
  EXPECT_EQ(parsed_money("1e-400", "USD"), "bad_price");
  EXPECT_EQ(parsed_money("1.5000000000001", "KWD"), "bad_price");
}

TEST(Money, RefusesWhatIsNoAmount) {
  const std::string endless(100000, '9');
  const std::vector<std::string> texts = {"",
                                          " ",
                                          "-",
                                          "+5",
                                          "-1",
                                          "-0.01",
                                          "NaN",
                                          "nan",
                                          "Infinity",
                                          "-inf",
                                          "1,5",
                                          "1,234.50",
                                          "1.234.50",
                                          "1 234",
                                          "1'234",
                                          "1_000",
                                          "$5",
                                          "5 USD",
                                          ".5",
                                          "5.",
                                          ".",
                                          "e5",
                                          "1e",
                                          "1e+",
                                          "1e5.",
                                          "1e5x",
                                          "0x10",
                                          "1\xC2\xA0"
                                          "234",
                                          "--1",
                                          "1-",
                                          "1e400",
                                          "1e99999999999999999999999",
                                          "1234567890123456789",
                                          "12345678901234567.89",
                                          endless,
                                          std::string("1\0", 2)};
  for (const std::string& text : texts)
    EXPECT_EQ(parsed_money(text, "USD"), "bad_price") << text.substr(0, 50);
  EXPECT_EQ(parsed_money("1234567890123456789", "JPY"), "bad_price");
}

TEST(Money, EqualAmountsAreEqual) {
  EXPECT_EQ(parse_money("2879.2", "EUR"), parse_money("2879.20", "EUR"));
  EXPECT_EQ(parse_money("2879.2", "EUR"), parse_money("28792e-1", "EUR"));
  EXPECT_NE(parse_money("2879.2", "EUR"), parse_money("2879.2", "USD"));
}

TEST(Money, RefusesUnknownCurrencies) {
  for (const char* currency : {"", "usd", "US", "USDD", "DEM", "XAU", "XXX", "ZZZ", "$", "AAA"})
    EXPECT_EQ(parsed_money("1", currency), "unknown_currency") << currency;
}

TEST(Money, ErrorsAreShortAndPrintable) {
  const auto result = parse_money("\x1B[2J\xFF" + std::string(5000, 'x'), "USD");
  const std::string message = std::get<MoneyError>(result).message;
  EXPECT_LT(message.size(), 120U);
  for (const char c : message)
    EXPECT_TRUE(c >= ' ' && c <= '~');
}

TEST(Money, FormatsExactlyTheDigitsOfTheMinorUnit) {
  EXPECT_EQ(format_amount(6245, 2), "62.45");
  EXPECT_EQ(format_amount(1234, 0), "1234");
  EXPECT_EQ(format_amount(1500, 3), "1.500");
  EXPECT_EQ(format_amount(0, 2), "0.00");
  EXPECT_EQ(format_amount(5, 2), "0.05");
  EXPECT_EQ(format_amount(0, 0), "0");
  EXPECT_EQ(format_amount(999999999999999999, 4), "99999999999999.9999");
}

TEST(Money, WhatIsFormattedReadsBack) {
  for (std::int64_t units : {0, 1, 9, 10, 99, 100, 101, 123456})
    for (const char* currency : {"JPY", "USD", "KWD", "UYW"})
      EXPECT_EQ(parsed_money(format_amount(units, *currency_minor_digits(currency)), currency),
                std::to_string(units));
}

// Cells of one line; quotes may hold commas.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool is_quoted = false;
  for (const char c : line) {
    if (c == '"')
      is_quoted = !is_quoted;
    else if (c == ',' && !is_quoted)
      cells.emplace_back();
    else if (c != '\r')
      cells.back() += c;
  }
  return cells;
}

TEST(Currencies, AreThoseOfTheStandard) {
  std::ifstream file(std::filesystem::path(FANTAIL_SHARED_TESTDATA) / "iso4217-codes.csv");
  if (!file) GTEST_SKIP() << "the table of ISO 4217 is not here";
  std::map<std::string, std::optional<std::uint32_t>> expected;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    const std::vector<std::string> cells = cells_of(line);
    ASSERT_EQ(cells.size(), 6U) << line;
    if (cells[2].empty()) continue;
    const bool is_number = cells[4].size() == 1 && cells[4] >= "0" && cells[4] <= "9";
    auto& digits = expected.try_emplace(cells[2]).first->second;
    if (cells[5].empty() && is_number) digits = static_cast<std::uint32_t>(cells[4][0] - '0');
  }
  EXPECT_GT(expected.size(), 200U);
  for (const auto& [code, digits] : expected)
    EXPECT_EQ(currency_minor_digits(code), digits) << code;
  // And no code that the standard does not have.
  for (char a = 'A'; a <= 'Z'; ++a) {
    for (char b = 'A'; b <= 'Z'; ++b) {
      for (char c = 'A'; c <= 'Z'; ++c) {
        const std::string code{a, b, c};
        EXPECT_TRUE(!currency_minor_digits(code) || expected.contains(code)) << code;
      }
    }
  }
}

}  // namespace
}  // namespace fantail
