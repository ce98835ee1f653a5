// The kind that compares prices: each product at each vendor is one job.
#pragma once

#include <memory>

#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_prices_kind();

}  // namespace fantail
