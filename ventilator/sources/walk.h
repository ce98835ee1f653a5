// A source that walks directories, depth first and in byte order of the names within each directory; a
// directory stands at its name's place. Its inputs are the paths of regular files: symbolic links met on the
// way are passed over, special files are counted as skipped. It opens no file. What cannot be walked becomes
// an input itself, so that a worker gives the error row.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ventilator/sources/source.h"

namespace fantail {

// A path that names a directory (also through a symbolic link) is walked; any other is an input as it stands.
std::unique_ptr<Source> make_walk_source(std::vector<std::string> paths);

}  // namespace fantail
