// Turns a page's bytes into UTF-8, piece by piece, with ICU's converters. UTF-8 itself passes through
// unchecked: whoever keeps text of it repairs what he keeps.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "worker/html/charset.h"

struct UConverter;

namespace fantail {

class TextDecoder {
 public:
  // As many bytes are decoded at once.
  static constexpr std::size_t kMaxPieceSize = 16 << 10;

  explicit TextDecoder(const Encoding& encoding);

  // Requires: at most kMaxPieceSize bytes. The text is valid until the next call; a character that the end of
  // the bytes cuts off comes with the next piece.
  std::string_view decode(std::string_view bytes);
  // What is left at the end of the page.
  std::string_view finish();

 private:
  struct CloseConverter {
    void operator()(UConverter* converter) const;
  };

  std::string_view convert(std::string_view bytes, bool flush);

  bool passes_through_ = false;
  std::unique_ptr<UConverter, CloseConverter> converter_;  // null for "replacement"
  std::vector<char16_t> utf16_;
  std::string utf8_;
  bool reported_replacement_ = false;
};

}  // namespace fantail
