#include "worker/processors/processors.h"

#include "worker/processors/echo.h"
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
};

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

std::unique_ptr<SyncProcessor> make_sync_processor(const proto::KindSpec& spec,
                                                   const ProcessorSetting& setting) {
  if (spec.has_files()) return make_files_processor(spec.files(), setting.other_machine);
  if (spec.has_echo()) return make_echo_processor(spec.echo(), setting.slowdown);
  return nullptr;
}

}  // namespace fantail
