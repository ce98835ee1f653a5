// Takes a doctype apart. A '>' ends a doctype wherever it stands, even within quotes, so the tokenizer
// collects up to it and no state of the standard's doctype machine has to survive a chunk's end.
#pragma once

#include <string_view>

#include "worker/html/token.h"

namespace fantail {

// `text` is what stands between "<!DOCTYPE" and '>', or the end of the page (closed is false then).
Doctype parse_doctype(std::string_view text, bool closed);

}  // namespace fantail
