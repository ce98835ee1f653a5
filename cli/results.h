// `fantail results`: the rows of a run, read back from its ledger.
#pragma once

namespace fantail {

int results_main(int argc, char** argv);

}  // namespace fantail
