// Writes bytes to a descriptor, whatever it takes: interrupted, short and would-block writes are continued.
#pragma once

#include <string>
#include <string_view>

namespace fantail {

// The answer is an errno, 0 when everything was written.
int write_all(int descriptor, std::string_view bytes);
// Waits until a regular file is on its storage; other files have none.
int sync_content(int descriptor);

// Standard output, "-": the only file that is not opened.
bool is_standard_output(const std::string& path);
// /dev/stderr, /dev/fd/3, /proc/self/fd/3: somebody else's open file, to be appended to and never replaced.
bool names_open_descriptor(const std::string& path);

}  // namespace fantail
