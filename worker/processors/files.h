// The kind "files": reads one file in one pass and answers its size, content hash, words and lines. The input
// is a path, any bytes without NUL. Symbolic links are followed: who walks directories decides what is named.
// Only regular files are read.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "worker/processor.h"

namespace fantail {

// A specification that this worker cannot serve (an unknown hash) makes a processor whose every job fails and
// says so.
std::unique_ptr<SyncProcessor> make_files_processor(const proto::FilesSpec& spec);

}  // namespace fantail
