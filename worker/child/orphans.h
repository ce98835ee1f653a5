// Processes whose parents have gone become this process's children, so that none of a job can hide.
#pragma once

namespace fantail {

void adopt_orphans();
// On the process's first thread, which is the one that the kernel gives them to: takes no other's children.
void reap_orphans();

}  // namespace fantail
