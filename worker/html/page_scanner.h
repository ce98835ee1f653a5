// Reads an HTML page as it arrives, in one pass: its title, its number of words, its links. Builds no tree;
// memory is bounded and time linear whatever the page is.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/url/url.h"
#include "worker/html/page_content.h"
#include "worker/html/string_list.h"
#include "worker/html/text_decoder.h"
#include "worker/html/tokenizer.h"

namespace fantail {

struct Page {
  std::string title;        // of the first title element
  std::uint64_t words = 0;  // runs of characters other than white space, see PageScanner
  StringList links;         // absolute, http and https, without fragments, each once
};

// Words are counted in text outside head, script, style, template, noscript and title; every tag ends a word,
// and white space is Unicode's. Links are those of a and area, resolved against the first base element and
// the page's URL.
class PageScanner {
 public:
  // The value of the Content-Type header, "" when there was none, and the URL that the page came from in the
  // end.
  PageScanner(std::string_view content_type_header, const Url& final_url);
  PageScanner(const PageScanner&) = delete;
  PageScanner& operator=(const PageScanner&) = delete;

  // The next bytes of the body, in pieces of any size.
  void feed(std::string_view bytes);
  // The end of the body. Nothing may be fed afterwards.
  Page finish();

 private:
  void begin_decoding();
  void decode(std::string_view bytes);

  std::string content_type_header_;
  Url final_url_;
  std::string first_bytes_;             // until the encoding is known
  std::optional<TextDecoder> decoder_;  // from then on
  PageContent content_;
  Tokenizer tokenizer_{content_};
};

}  // namespace fantail
