// What the kernel allows this process.
#pragma once

namespace fantail {

// Raises the number of open descriptors to the hard limit: a thousand transfers or lanes need more than the
// usual 1024.
void raise_descriptor_limit();

}  // namespace fantail
