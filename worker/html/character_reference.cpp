#include "worker/html/character_reference.h"

#include <array>
#include <cassert>

#include "worker/html/byte_search.h"
#include "worker/html/entities.h"
#include "worker/html/utf8.h"

namespace fantail {
namespace {

constexpr char32_t kLastCodePoint = 0x10FFFF;

// What the numbers 0x80 to 0x9F mean: authors wrote windows-1252, and the standard gives in. 0 stands for
// itself.
constexpr std::array<char16_t, 32> kWindows1252Meaning = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

char32_t meaning_of_number(char32_t number) {
  const bool surrogate = number >= 0xD800 && number <= 0xDFFF;
  if (number == 0 || number > kLastCodePoint || surrogate) return 0xFFFD;
  if (number >= 0x80 && number <= 0x9F) {
    const char16_t meaning = kWindows1252Meaning[number - 0x80];
    if (meaning != 0) return meaning;
  }
  return number;
}

std::size_t decode_number(std::string_view text, std::string& decoded) {
  std::size_t position = 2;
  int radix = 10;
  if (position < text.size() && to_ascii_lower(text[position]) == 'x') {
    radix = 16;
    ++position;
  }
  const std::size_t first_digit = position;
  char32_t number = 0;
  for (; position < text.size(); ++position) {
    const int digit = ascii_hex_value(text[position]);
    if (digit < 0 || digit >= radix) break;
    // Beyond the last code point any number means the same.
    if (number <= kLastCodePoint)
      number = number * static_cast<char32_t>(radix) + static_cast<char32_t>(digit);
  }
  if (position == first_digit) return 0;
  append_utf8(meaning_of_number(number), decoded);
  return position < text.size() && text[position] == ';' ? position + 1 : position;
}

}  // namespace

std::size_t decode_character_reference(std::string_view text, ReferencePlace place, std::string& decoded) {
  assert(!text.empty() && text[0] == '&');
  if (text.size() > 1 && text[1] == '#') return decode_number(text, decoded);
  const Entity* entity = find_longest_entity(text.substr(1));
  if (entity == nullptr) return 0;
  const std::size_t size = 1 + entity->name.size();
  if (place == ReferencePlace::kAttribute && entity->name.back() != ';' && size < text.size()) {
    // "?a=1&copy=2" in an old link is no copyright sign.
    if (text[size] == '=' || is_ascii_alphanumeric(text[size])) return 0;
  }
  decoded += entity->text;
  return size;
}

std::string_view decode_attribute_value(std::string_view raw_value, std::string& buffer) {
  buffer.clear();
  const std::string_view whole_value = raw_value;
  while (!raw_value.empty()) {
    const char* begin = raw_value.data();
    const char* stop = find_either(begin, begin + raw_value.size(), '&', '\0');
    if (stop == whole_value.data() + whole_value.size() && begin == whole_value.data()) return whole_value;
    buffer.append(begin, stop);
    raw_value.remove_prefix(static_cast<std::size_t>(stop - begin));
    if (raw_value.empty()) break;
    std::size_t taken = 1;
    if (raw_value[0] == '\0') {
      buffer += kReplacementCharacter;
    } else {
      taken = decode_character_reference(raw_value, ReferencePlace::kAttribute, buffer);
      if (taken == 0) {
        buffer += '&';
        taken = 1;
      }
    }
    raw_value.remove_prefix(taken);
  }
  return buffer;
}

}  // namespace fantail
