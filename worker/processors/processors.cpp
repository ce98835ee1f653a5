#include "worker/processors/processors.h"

#include <algorithm>

#include "worker/processors/echo.h"
#include "worker/processors/exec.h"
#include "worker/processors/files.h"
#include "worker/processors/map.h"

namespace fantail {

namespace {

struct KindEntry {
  const char* name;
  proto::KindSpec::KindCase kind;
  Execution execution;
  bool runs_commands = false;
};

// urls and prices get their processors from the event loop, http/http_loop.cpp.
constexpr KindEntry kKinds[] = {
    {"files", proto::KindSpec::kFiles, Execution::kThreads},
    {"urls", proto::KindSpec::kUrls, Execution::kEventLoop},
    {"prices", proto::KindSpec::kPrices, Execution::kEventLoop},
    {"echo", proto::KindSpec::kEcho, Execution::kThreads},
    {"exec", proto::KindSpec::kExec, Execution::kThreads, true},
    {"map", proto::KindSpec::kMap, Execution::kThreads, true},
};

// Null: this build does not know the kind.
const KindEntry* find_entry(const proto::KindSpec& spec) {
  const auto* found = std::ranges::find(kKinds, spec.kind_case(), &KindEntry::kind);
  return found == std::end(kKinds) ? nullptr : found;
}

bool is_taken(const proto::KindSpec& spec, const std::vector<std::string>& kinds) {
  const KindEntry* entry = find_entry(spec);
  return entry != nullptr && std::ranges::find(kinds, entry->name) != kinds.end();
}

}  // namespace

std::vector<std::string> kind_names() {
  std::vector<std::string> names;
  for (const KindEntry& entry : kKinds)
    names.emplace_back(entry.name);
  return names;
}

Execution execution_of(const proto::KindSpec& spec) {
  const KindEntry* entry = find_entry(spec);
  return entry == nullptr ? Execution::kUnknown : entry->execution;
}

bool runs_commands(const proto::KindSpec& spec) {
  const KindEntry* entry = find_entry(spec);
  return entry != nullptr && entry->runs_commands;
}

std::vector<std::string> usual_kinds(bool over_network) {
  std::vector<std::string> names;
  for (const KindEntry& entry : kKinds) {
    if (!over_network || !entry.runs_commands) names.emplace_back(entry.name);
  }
  return names;
}

std::unique_ptr<SyncProcessor> make_sync_processor(const proto::RunSpec& run,
                                                   const ProcessorSetting& setting) {
  const proto::KindSpec& spec = run.kind();
  if (!is_taken(spec, setting.kinds)) return nullptr;
  if (spec.has_files()) return make_files_processor(spec.files(), setting.other_machine);
  if (spec.has_echo()) return make_echo_processor(spec.echo(), setting.slowdown);
  if (spec.has_exec()) return make_exec_processor(run);
  if (spec.has_map()) return make_map_processor(run);
  return nullptr;
}

}  // namespace fantail
