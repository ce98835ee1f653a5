// The lines for people below the table: counts, totals and times of a run, then what the kind adds (the best
// price) and why the run ended early, if it did. Every line ends with a newline.
#pragma once

#include <string>

#include "sink/kinds/kind.h"
#include "sink/run_summary.h"

namespace fantail {

enum class Charset { kAscii, kUtf8 };

std::string make_summary(const RunSummary& run, const Kind& kind, Charset charset = Charset::kUtf8);

}  // namespace fantail
