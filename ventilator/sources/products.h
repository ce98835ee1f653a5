// Every product of another source at every vendor, as the inputs of price jobs. Knows no prices.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kinds.pb.h"
#include "ventilator/sources/source.h"

namespace fantail {

// Where products are lines of JSON (pipeline/job_line.h), so are the inputs: each vendor's line says what the
// product's does, and a product whose line names no group is one. A line that is no job stays as it is.
std::unique_ptr<Source> make_product_source(std::unique_ptr<Source> products,
                                            std::vector<std::string> vendors, proto::InputFormat format);

}  // namespace fantail
