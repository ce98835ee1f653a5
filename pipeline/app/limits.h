// What the kernel allows this process, and what the process keeps.
#pragma once

namespace fantail {

// Raises the number of open descriptors to the hard limit: a thousand transfers or lanes need more than the
// usual 1024.
void raise_descriptor_limit();

// Memory of batches is freed and asked for thousands of times a second: without this a good part of it goes
// back to the kernel each time, and a fifth of a fast run's time with it.
void keep_freed_memory();

}  // namespace fantail
