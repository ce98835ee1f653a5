// Bytes as a JSON string may hold them: what is not UTF-8 is shown escaped. For places that have no room for
// the exact bytes.
#pragma once

#include <string>
#include <string_view>

#include "sink/writers/text.h"

namespace fantail {

inline std::string json_text(std::string_view bytes) {
  bool altered = false;
  return escape_invalid_utf8(bytes, &altered);
}

}  // namespace fantail
