// One row of the output: the columns every kind has, then the kind's own. Formats (JSONL, CSV, table) are
// made from this.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "sink/outcome.h"

namespace fantail {

class Kind;

// A decimal number that is printed as it stands, such as "12.345" (milliseconds).
struct Decimal {
  std::string text;
  bool operator==(const Decimal&) const = default;
};

// A JSON value that is printed as it stands. Requires: it is one, without line breaks.
struct JsonText {
  std::string text;
  bool operator==(const JsonText&) const = default;
};

// std::monostate is null. Strings are bytes; formats escape what is not UTF-8.
using FieldValue = std::variant<std::monostate, bool, std::uint64_t, Decimal, JsonText, std::string,
                                std::vector<std::string>>;

struct Field {
  std::string_view name;  // static storage
  FieldValue value;
};

struct RowError {
  std::string code;
  std::string message;
};

struct Row {
  std::uint64_t job = 0;
  std::string input;
  std::string_view kind;  // static storage
  Status status = Status::kOk;
  std::uint32_t attempt = 0;
  std::string worker;  // empty: null
  std::uint64_t queued_us = 0;
  std::uint64_t duration_us = 0;
  std::optional<RowError> error;
  std::vector<Field> fields;
};

std::string_view status_name(Status status);          // ok, failed, cancelled, expired
Decimal as_milliseconds(std::uint64_t microseconds);  // 12345 is 12.345

// The row of one outcome. A row has an error exactly when its job is not ok.
Row make_row(const Kind& kind, const Outcome& outcome);

}  // namespace fantail
