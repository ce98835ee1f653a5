// `fantail verify`: the complete check of a run's ledger.
#pragma once

namespace fantail {

int verify_main(int argc, char** argv);

}  // namespace fantail
