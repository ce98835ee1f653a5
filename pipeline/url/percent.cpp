#include "pipeline/url/percent.h"

#include "pipeline/url/ascii.h"
#include "pipeline/url/url.h"

namespace fantail {
namespace {

constexpr EncodeSet component_encode_set() {
  EncodeSet set{};
  for (std::size_t byte = 0; byte < set.size(); ++byte) {
    const char c = static_cast<char>(byte);
    set[byte] = !is_ascii_alpha(c) && !is_ascii_digit(c) && c != '-' && c != '.' && c != '_' && c != '~';
  }
  return set;
}

}  // namespace

void append_percent_encoded(std::string& out, std::string_view bytes, const EncodeSet& set) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (set[byte]) {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 0xF];
    } else {
      out += c;
    }
  }
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && text.size() - i > 2 ? ascii_hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? ascii_hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
    } else {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::string percent_encode_component(std::string_view bytes) {
  static constexpr EncodeSet kComponentEncodeSet = component_encode_set();
  std::string out;
  append_percent_encoded(out, bytes, kComponentEncodeSet);
  return out;
}

}  // namespace fantail
