// What the table shows of one row, whatever its kind: made when the row comes, so that the row's long parts
// need not be kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sink/row.h"

namespace fantail {

// All text is UTF-8 without control characters, and a few KiB long at most.
struct TableItem {
  Status status = Status::kOk;
  std::string code;                // HTTP status, before the name
  std::string name;                // path, URL, vendor, payload
  std::string product;             // prices; shown where the lines differ in it
  std::string title;               // in quotes
  std::vector<std::string> facts;  // of an ok job: "33 KiB", "4,821 words"
  std::string message;             // of another
};

TableItem make_table_item(const Row& row);

}  // namespace fantail
