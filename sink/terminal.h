// What the process's terminal can show.
#pragma once

namespace fantail {

struct Terminal {
  bool is_terminal = false;
  bool animates = false;  // not a dumb one
  bool unicode = false;
  bool color = false;
  unsigned width = 80;
};

Terminal terminal_of(int descriptor);

}  // namespace fantail
