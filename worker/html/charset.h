// Which encoding a page is in: the labels of the WHATWG Encoding standard, and the rules by which a browser
// chooses. Decodes nothing itself. https://encoding.spec.whatwg.org/#names-and-labels,
// https://html.spec.whatwg.org/multipage/parsing.html#determining-the-character-encoding
#pragma once

#include <cstddef>
#include <string_view>

namespace fantail {

struct Encoding {
  std::string_view name;
  // ICU's converter for it. Null for UTF-8, which needs none, and for "replacement", which has no text that
  // could be trusted.
  const char* converter = nullptr;
  std::string_view labels;  // lower case, separated by spaces

  bool is_utf8() const { return name == "UTF-8"; }
  bool is_utf16() const { return name == "UTF-16LE" || name == "UTF-16BE"; }
};

// As many bytes of a page are looked at to find its encoding.
inline constexpr std::size_t kSniffedBytes = 1024;

// The encoding with this label in any case, white space around it ignored; null for an unknown one.
// x-user-defined is windows-1252 for us.
const Encoding* find_encoding(std::string_view label);

// By the charset parameter of a Content-Type header; null when it says nothing that is known.
const Encoding* encoding_of_content_type(std::string_view header);

struct DetectedEncoding {
  const Encoding* encoding;          // never null
  std::size_t byte_order_mark_size;  // bytes to skip before decoding
};

// By byte order mark, header, the page's own <meta> or XML declaration; else UTF-8 if the bytes are,
// windows-1252 if not. `first_bytes` are the first kSniffedBytes of the page, or all of it; more than that is
// not looked at.
DetectedEncoding detect_encoding(std::string_view first_bytes, std::string_view content_type_header);

}  // namespace fantail
