// `fantail submit`: a run on the workers of a ventilator that serves. Inputs are read here and streamed
// there, and rows, table and exit code are those of `fantail run`.
#pragma once

namespace fantail {

int submit_main(int argc, char** argv);

}  // namespace fantail
