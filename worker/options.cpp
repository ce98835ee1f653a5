#include "worker/options.h"

#include <algorithm>
#include <thread>

#include "pipeline/app/signals.h"
#include "worker/processors/processors.h"
#include "worker/worker.h"

namespace fantail {

void add_slot_options(CLI::App& app, SlotOptions& options) {
  app.add_option("--slots", options.slots, "Jobs at once [one per core]")
      ->check(CLI::Range(1, 1024))
      ->group("Worker");
  app.add_option("--async-slots", options.async_slots, "Jobs at once of kinds that wait for the network")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str()
      ->group("Worker");
  app.add_option("--kinds", options.kinds,
                 "Take only these kinds, separated by commas [over ipc all, over tcp all but exec and map]")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->check(CLI::IsMember(kind_names()))
      ->group("Worker");
  app.add_option("--slowdown", options.slowdown)->check(CLI::Range(1.0, 1000.0))->group("");
}

int worker_main(int argc, char** argv) {
  CLI::App app("Processes jobs; start as many as you like, wherever you like.", "fantail worker");
  app.set_version_flag("--version", kVersion);
  WorkerOptions options;
  add_slot_options(app, options.slots);
  add_endpoint(app, "--ventilator", options.ventilator, "Where the ventilator is [tcp://127.0.0.1:5557]")
      ->group("Addresses");
  add_endpoint(app, "--sink", options.sink,
               "Where the sink is, when the ventilator's word for it does not lead there")
      ->group("Addresses");
  add_duration(app, "--wait", options.wait, "Give up when no ventilator came so long")->group("Run");
  app.add_flag("--stay", options.stay, "Wait for the next ventilator when a run is over")->group("Run");
  app.add_option("--parent", options.parent)->group("");
  app.add_option("--slots-from", options.slots_from)->group("");
  add_common_options(app, options.common);
  app.footer("Example:\n  fantail worker --ventilator tcp://venthost:5557 --insecure");
  allow_environment(app);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  if (options.parent != 0) end_with_parent(options.parent);
  std::string refusal = refuse_insecure(*options.ventilator, options.common.insecure);
  if (!refusal.empty()) return complain(app.get_name(), "--ventilator " + refusal);
  if (options.sink) refusal = refuse_insecure(*options.sink, options.common.insecure);
  if (!refusal.empty()) return complain(app.get_name(), "--sink " + refusal);
  if (options.slots.slots == 0) options.slots.slots = std::max(std::thread::hardware_concurrency(), 1U);
  return run_worker(options);
}

}  // namespace fantail
