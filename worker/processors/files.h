// The kind "files": reads one file in one pass and answers its size, content hash, words and lines. The input
// is a path, any bytes without NUL. Symbolic links are followed: who walks directories decides what is named.
// Only regular files are read.
#pragma once

#include <memory>
#include <string>

#include "kinds.pb.h"
#include "worker/processor.h"

namespace fantail {

// A specification that this worker cannot serve (an unknown hash) makes a processor whose every job fails and
// says so. The paths were found on the ventilator's machine: when `other_machine` names this one as another,
// the first files that are missing here say that paths must mean the same on both.
std::unique_ptr<SyncProcessor> make_files_processor(const proto::FilesSpec& spec,
                                                    const std::string& other_machine = {});

}  // namespace fantail
