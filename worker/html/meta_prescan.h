// Looks for an encoding declared within a page's first bytes: <meta charset>, <meta http-equiv> or an XML
// declaration. Knows no tokenizer: this runs before the bytes can be read as text.
// https://html.spec.whatwg.org/multipage/parsing.html#prescan-a-byte-stream-to-determine-its-encoding
#pragma once

#include <string_view>

#include "worker/html/charset.h"

namespace fantail {

// Null when nothing known is declared.
const Encoding* prescan_for_encoding(std::string_view bytes);

}  // namespace fantail
