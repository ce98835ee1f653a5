#include "worker/processors/processors.h"

#include <algorithm>

#include "worker/processors/echo.h"
#include "worker/processors/exec.h"
#include "worker/processors/files.h"

namespace fantail {

namespace {

struct KindEntry {
  const char* name;
  proto::KindSpec::KindCase kind;
  Execution execution;
};

// urls and prices get their processors from the event loop, http/http_loop.cpp.
constexpr KindEntry kKinds[] = {
    {"files", proto::KindSpec::kFiles, Execution::kThreads},
    {"urls", proto::KindSpec::kUrls, Execution::kEventLoop},
    {"prices", proto::KindSpec::kPrices, Execution::kEventLoop},
    {"echo", proto::KindSpec::kEcho, Execution::kThreads},
    {"exec", proto::KindSpec::kExec, Execution::kThreads},
};

bool is_taken(const proto::KindSpec& spec, const std::vector<std::string>& kinds) {
  return std::ranges::any_of(kKinds, [&](const KindEntry& entry) {
    return entry.kind == spec.kind_case() && std::ranges::find(kinds, entry.name) != kinds.end();
  });
}

}  // namespace

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const KindEntry& entry : kKinds)
    names.emplace_back(entry.name);
  return names;
}

Execution execution_of(const proto::KindSpec& spec) {
  for (const KindEntry& entry : kKinds) {
    if (entry.kind == spec.kind_case()) return entry.execution;
  }
  return Execution::kUnknown;
}

std::vector<std::string> usual_kinds(bool over_network) {
  std::vector<std::string> names = kind_names();
  if (over_network) std::erase(names, "exec");
  return names;
}

std::unique_ptr<SyncProcessor> make_sync_processor(const proto::RunSpec& run,
                                                   const ProcessorSetting& setting) {
  const proto::KindSpec& spec = run.kind();
  if (!is_taken(spec, setting.kinds)) return nullptr;
  if (spec.has_files()) return make_files_processor(spec.files(), setting.other_machine);
  if (spec.has_echo()) return make_echo_processor(spec.echo(), setting.slowdown);
  if (spec.has_exec()) return make_exec_processor(run);
  return nullptr;
}

}  // namespace fantail
