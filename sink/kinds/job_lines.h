// Any kind, where jobs were submitted as lines of JSON (pipeline/job_line.h): rows, digest and aggregate are
// those of the inputs in the lines, and rows have a column `group` before the kind's own.
#pragma once

#include <memory>

#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_job_lines_kind(std::unique_ptr<Kind> kind);

}  // namespace fantail
