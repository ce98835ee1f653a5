// Reads UTF-8 (RFC 3629) one character at a time. An invalid byte is a piece of its own.
#pragma once

#include <cstddef>
#include <string_view>

namespace fantail {

struct Utf8Piece {
  char32_t code_point = 0;  // the byte itself where it is not valid
  std::size_t length = 1;
  bool valid = false;
};

// Requires: bytes is not empty.
Utf8Piece first_utf8_piece(std::string_view bytes);

}  // namespace fantail
