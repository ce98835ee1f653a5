// `fantail pause`, `unpause` and `cancel`: what people ask of a run that is under way.
#pragma once

namespace fantail {

int pause_main(int argc, char** argv);
int unpause_main(int argc, char** argv);
int cancel_main(int argc, char** argv);

}  // namespace fantail
