#include "pipeline/url/utf8.h"

#include <cstddef>

namespace fantail {
namespace {

// What a lead byte demands: the number of bytes to follow (0: not a lead byte) and the range of the first of
// them, which excludes overlong forms, surrogates and values above U+10FFFF.
struct Sequence {
  std::size_t trailing = 0;
  unsigned char lowest = 0x80;
  unsigned char highest = 0xBF;
};

Sequence sequence_of(unsigned char lead) {
  if (lead >= 0xC2 && lead <= 0xDF) return {1};
  if (lead == 0xE0) return {2, 0xA0, 0xBF};
  if (lead == 0xED) return {2, 0x80, 0x9F};
  if (lead >= 0xE1 && lead <= 0xEF) return {2};
  if (lead == 0xF0) return {3, 0x90, 0xBF};
  if (lead >= 0xF1 && lead <= 0xF3) return {3};
  if (lead == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

struct Piece {
  std::size_t length = 1;
  bool valid = false;
};

// Requires: bytes is not empty.
Piece first_piece(std::string_view bytes) {
  const auto lead = static_cast<unsigned char>(bytes[0]);
  if (lead < 0x80) return {1, true};
  Sequence sequence = sequence_of(lead);
  if (sequence.trailing == 0) return {1, false};
  for (std::size_t i = 1; i <= sequence.trailing; ++i) {
    if (i == bytes.size()) return {i, false};
    const auto byte = static_cast<unsigned char>(bytes[i]);
    if (byte < sequence.lowest || byte > sequence.highest) return {i, false};
    sequence.lowest = 0x80;
    sequence.highest = 0xBF;
  }
  return {sequence.trailing + 1, true};
}

}  // namespace

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  while (!bytes.empty()) {
    const Piece piece = first_piece(bytes);
    out += piece.valid ? bytes.substr(0, piece.length) : std::string_view("\xEF\xBF\xBD");
    bytes.remove_prefix(piece.length);
  }
  return out;
}

}  // namespace fantail
