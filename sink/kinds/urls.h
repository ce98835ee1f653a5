// The kind that loads pages: status, title, words, links, bytes, load time.
#pragma once

#include <memory>

#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_urls_kind();

}  // namespace fantail
