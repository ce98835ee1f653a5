// `fantail runs`: the runs that the sink's state directory holds.
#pragma once

namespace fantail {

int runs_main(int argc, char** argv);

}  // namespace fantail
