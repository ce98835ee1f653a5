#include "worker/html/utf8.h"

#include <algorithm>

#include "pipeline/url/utf8.h"

namespace fantail {
void append_utf8(char32_t code_point, std::string& text) {
  const auto append_byte = [&text](char32_t byte) { text += static_cast<char>(byte); };
  if (code_point < 0x80) {
    append_byte(code_point);
    return;
  }
  if (code_point < 0x800) {
    append_byte(0xC0 | (code_point >> 6));
  } else {
    if (code_point < 0x10000) {
      append_byte(0xE0 | (code_point >> 12));
    } else {
      append_byte(0xF0 | (code_point >> 18));
      append_byte(0x80 | ((code_point >> 12) & 0x3F));
    }
    append_byte(0x80 | ((code_point >> 6) & 0x3F));
  }
  append_byte(0x80 | (code_point & 0x3F));
}

bool is_utf8_beginning(std::string_view bytes) {
  for (std::size_t back = 1; back <= std::min<std::size_t>(3, bytes.size()); ++back) {
    const auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    const std::size_t size = byte < 0xC2 || byte > 0xF4 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    if (size > back) bytes.remove_suffix(back);
    break;
  }
  return to_valid_utf8(bytes) == bytes;
}

std::string_view truncate_utf8(std::string_view text, std::size_t max_size) {
  if (text.size() <= max_size) return text;
  std::size_t size = max_size;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80)
    --size;
  return text.substr(0, size);
}

}  // namespace fantail
