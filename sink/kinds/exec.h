// The kind whose jobs are processes: how each one ended, and the beginnings of what it wrote.
#pragma once

#include <memory>

#include "kinds.pb.h"
#include "sink/kinds/kind.h"

namespace fantail {

std::unique_ptr<Kind> make_exec_kind(const proto::ExecSpec& spec);

}  // namespace fantail
