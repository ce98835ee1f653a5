// Rows as CSV: RFC 4180, but lines end with \n alone. Null is an empty field, as is an empty string; lists
// are joined by a space; a string that is not UTF-8 is escaped as in JSON lines, without its exact bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sink/row.h"

namespace fantail {

// The line with the names of the columns: those every kind has, then the kind's own.
void append_csv_header(const std::vector<std::string_view>& field_names, std::string& out);
void append_csv(const Row& row, std::string& out);

}  // namespace fantail
