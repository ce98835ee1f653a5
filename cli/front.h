// The command `fantail`: one role by its name, or a whole run on this machine.
#pragma once

namespace fantail {

int front_main(int argc, char** argv);

}  // namespace fantail
