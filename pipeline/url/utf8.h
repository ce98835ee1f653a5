// Makes any bytes valid UTF-8, as the decoder of https://encoding.spec.whatwg.org/#utf-8-decoder does.
#pragma once

#include <string>
#include <string_view>

namespace fantail {

// Each maximal invalid piece becomes one U+FFFD. Valid UTF-8 (a byte order mark too) is returned unchanged.
std::string to_valid_utf8(std::string_view bytes);

}  // namespace fantail
