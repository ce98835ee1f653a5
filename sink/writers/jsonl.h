// Rows as JSON lines: one object per row, in the order of docs/REPORT.md. A string that is not UTF-8 is
// escaped and followed by <name>_base64 with the exact bytes; a list that has such a string by <name>_base64
// with all of its strings.
#pragma once

#include <cstdint>
#include <string>

#include "sink/row.h"

namespace fantail {

// Appends one line with its newline.
void append_jsonl(const Row& row, std::string& out);

}  // namespace fantail
