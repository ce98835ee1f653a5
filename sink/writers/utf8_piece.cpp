#include "sink/writers/utf8_piece.h"

#include <cassert>

namespace fantail {

namespace {

// How many bytes the lead byte announces; 0 where it is not one.
std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  if (lead < 0xF5) return 4;
  return 0;
}

// The shortest form only, no surrogates, nothing beyond Unicode.
bool is_allowed(char32_t code_point, std::size_t length) {
  if (length == 3) return code_point >= 0x800 && (code_point < 0xD800 || code_point > 0xDFFF);
  if (length == 4) return code_point >= 0x10000 && code_point <= 0x10FFFF;
  return true;
}

}  // namespace

Utf8Piece first_utf8_piece(std::string_view bytes) {
  assert(!bytes.empty());
  const auto lead = static_cast<unsigned char>(bytes[0]);
  const std::size_t length = length_of(lead);
  if (length == 1) return {lead, 1, true};
  const Utf8Piece invalid = {lead, 1, false};
  if (length == 0 || length > bytes.size()) return invalid;
  char32_t code_point = lead & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if ((byte & 0xC0) != 0x80) return invalid;
    code_point = (code_point << 6) | (byte & 0x3F);
  }
  if (!is_allowed(code_point, length)) return invalid;
  return {code_point, length, true};
}

}  // namespace fantail
