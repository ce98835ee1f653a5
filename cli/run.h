// `fantail run`: the three roles as children of one process, over ipc in a private directory.
#pragma once

namespace fantail {

int run_main(int argc, char** argv);

}  // namespace fantail
