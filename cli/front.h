// The command `fantail`: one role by its name, or a whole run on this machine.
#pragma once

#include <string>

namespace fantail {

int front_main(int argc, char** argv);

// The executable of a role: beside this one, or in libexec/fantail when installed.
std::string role_executable(const std::string& role);

}  // namespace fantail
