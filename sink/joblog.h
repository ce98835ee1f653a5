// The log of an exec run in the format of GNU parallel's --joblog: a line for each process that ran.
#pragma once

#include <string>
#include <string_view>

#include "kinds.pb.h"
#include "sink/outcome.h"

namespace fantail {

inline constexpr std::string_view kJoblogHeader =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";

// Nothing where no worker started the job. {%} in the command is shown as 1: nobody says which slot it was.
void append_joblog(const proto::ExecSpec& spec, const Outcome& outcome, std::string& out);

}  // namespace fantail
