#include "worker/html/page_scanner.h"

#include <algorithm>
#include <utility>

#include "worker/html/charset.h"

namespace fantail {

PageScanner::PageScanner(std::string_view content_type_header, const Url& final_url)
    : content_type_header_(content_type_header), final_url_(final_url) {}

void PageScanner::feed(std::string_view bytes) {
  if (!decoder_) {
    const std::size_t size = std::min(bytes.size(), kSniffedBytes - first_bytes_.size());
    first_bytes_ += bytes.substr(0, size);
    bytes.remove_prefix(size);
    if (first_bytes_.size() < kSniffedBytes) return;
    begin_decoding();
  }
  decode(bytes);
}

void PageScanner::begin_decoding() {
  const DetectedEncoding detected = detect_encoding(first_bytes_, content_type_header_);
  decoder_.emplace(*detected.encoding);
  const std::string first_bytes = std::exchange(first_bytes_, {});
  decode(std::string_view(first_bytes).substr(detected.byte_order_mark_size));
}

void PageScanner::decode(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, TextDecoder::kMaxPieceSize);
    tokenizer_.feed(decoder_->decode(piece));
    bytes.remove_prefix(piece.size());
  }
}

Page PageScanner::finish() {
  if (!decoder_) begin_decoding();
  tokenizer_.feed(decoder_->finish());
  tokenizer_.finish();
  return {content_.title(), content_.words(), content_.links(final_url_)};
}

}  // namespace fantail
