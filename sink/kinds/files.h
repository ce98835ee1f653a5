// The kind that measures files: size, content hash, words and lines.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_files_kind(const proto::FilesSpec& spec);

}  // namespace fantail
