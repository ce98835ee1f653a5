#include "cli/control.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <variant>

#include "cli/run_lookup.h"
#include "messages.pb.h"
#include "pipeline/app/command_line.h"
#include "pipeline/app/run_lock.h"
#include "pipeline/job_ranges.h"
#include "pipeline/net/poller.h"
#include "pipeline/net/socket.h"
#include "pipeline/number.h"
#include "pipeline/ulid.h"
#include "ventilator/control_address.h"

namespace fantail {

namespace {

constexpr Duration kAskAgainAfter = std::chrono::milliseconds(500);
constexpr Duration kGiveUpAfter = std::chrono::seconds(5);
// What runs is told to stop, and may take its --grace for it.
constexpr Duration kWaitForJobs = std::chrono::seconds(15);

struct Verb {
  const char* name;
  proto::RunControl::Action action;
  const char* what;
  const char* done;
};
constexpr Verb kPause{"pause", proto::RunControl::PAUSE,
                      "Starts no more jobs of a run until it is unpaused; what runs goes on.", "is paused"};
constexpr Verb kUnpause{"unpause", proto::RunControl::UNPAUSE, "Lets a paused run go on.", "goes on"};
constexpr Verb kCancel{"cancel", proto::RunControl::CANCEL,
                       "Ends a run, or some of its jobs: what runs is stopped, the rest never starts.",
                       "is being cancelled"};

struct Target {
  std::string run;
  Endpoint ventilator;
};

// Where the ventilator of a run on this machine is.
std::variant<Target, std::string> find_target(const std::string& wanted, const std::string& state_dir) {
  std::vector<RunFolder> runs = list_run_folders(state_dir);
  // Without a name it is the newest one that goes on.
  if (wanted.empty()) std::erase_if(runs, [](const RunFolder& run) { return !lock_holder(run.path); });
  if (wanted.empty() && runs.empty()) return "no run goes on in " + state_dir;
  const auto found = find_run(runs, wanted, state_dir);
  if (const auto* error = std::get_if<std::string>(&found)) return *error;
  const RunFolder& run = std::get<RunFolder>(found);
  const std::optional<Endpoint> endpoint = read_control_address(run.path);
  if (!lock_holder(run.path) || !endpoint)
    return "run " + run.run + (run.finished ? " is over" : " has no ventilator: start its command again");
  return Target{run.run, *endpoint};
}

// Jobs: those to be cancelled; empty: it is about the run. Asks until they have ended.
std::variant<proto::RunControlAnswer, std::string> ask(const Target& target, const Verb& verb,
                                                       const std::vector<JobId>& jobs) {
  proto::WorkerToVentilator question;
  question.set_worker_id(new_ulid());
  question.mutable_control()->set_run_id(parse_ulid(target.run).value_or(std::string()));
  question.mutable_control()->set_action(verb.action);
  for (const JobId job : jobs)
    put_ranges(std::vector<JobSpan>{{job, job + 1}}, question.mutable_control()->mutable_jobs());
  SocketContext context;
  Socket socket(context, SocketType::kDealer);
  if (!socket.connect(target.ventilator)) return target.ventilator.text() + " is no address";
  Poller poller;
  poller.add(socket);
  Instant until = steady_now() + kGiveUpAfter;
  std::optional<proto::RunControlAnswer> last;
  for (Instant now = steady_now(); now < until; now = steady_now()) {
    socket.send(question.SerializeAsString());
    poller.wait_until(std::min(now + kAskAgainAfter, until));
    Frame frame;
    proto::VentilatorToWorker answer;
    while (socket.receive(frame)) {
      if (answer.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size())) &&
          answer.has_answer()) {
        if (answer.answer().not_ended() == 0) return answer.answer();
        if (!last) until += kWaitForJobs;
        last = answer.answer();
      }
    }
  }
  if (last) return *last;
  return "no answer from the ventilator at " + target.ventilator.text();
}

int control_main(const Verb& verb, int argc, char** argv) {
  CLI::App app(verb.what, std::string("fantail ") + verb.name);
  app.set_version_flag("--version", kVersion);
  std::string wanted;
  std::string state_dir;
  std::optional<Endpoint> ventilator;
  app.add_option("run", wanted, "The run, or how its id begins [the newest that goes on]")->type_name("RUN");
  add_endpoint(app, "--ventilator", ventilator, "Where its ventilator is [as the state directory says]");
  add_state_dir(app, state_dir, "the ventilator");
  std::vector<JobId> jobs;
  std::string examples = std::string("Examples:\n  fantail ") + verb.name + "\n  fantail " + verb.name +
                         " 01JD3K7Q5W8XVYB2M4N6P8R0ST --ventilator tcp://venthost:5557";
  if (verb.action == proto::RunControl::CANCEL) {
    app.add_option("--job", jobs, "Only this job, by the number in its row; may be repeated. The run goes on")
        ->type_name("ID")
        ->check(CLI::Range(std::uint64_t{0}, kJobIdsMax - 1))
        ->allow_extra_args(false);
    examples += "\n  fantail cancel --job 7";
  }
  app.footer(examples);
  if (const auto code = parse_command_line(app, argc, argv)) return *code;
  Target target;
  if (ventilator) {
    if (!parse_ulid(wanted))
      return complain(app.get_name(), "with --ventilator give the whole id of the run");
    target = {wanted, *ventilator};
  } else {
    const auto found = find_target(wanted, role_state_dir(state_dir, "ventilator"));
    if (const auto* error = std::get_if<std::string>(&found)) return complain(app.get_name(), *error);
    target = std::get<Target>(found);
  }
  const auto answer = ask(target, verb, jobs);
  if (const auto* error = std::get_if<std::string>(&answer))
    return complain(app.get_name(), *error, kExitNoPeer);
  const std::string& refusal = std::get<proto::RunControlAnswer>(answer).refusal();
  if (!refusal.empty()) return complain(app.get_name(), "run " + target.run + ": " + refusal, 1);
  const std::uint64_t open = std::get<proto::RunControlAnswer>(answer).not_ended();
  if (open > 0) {
    return complain(app.get_name(),
                    "run " + target.run + ": " + format_items(open, "job has", "jobs have") +
                        " not ended yet; each is stopped as soon as it can be",
                    1);
  }
  std::cout << "run " << target.run
            << (jobs.empty() ? std::string(" ") + verb.done
                             : ": " + format_items(jobs.size(), "job has", "jobs have") + " ended")
            << '\n';
  return 0;
}

}  // namespace

int pause_main(int argc, char** argv) {
  return control_main(kPause, argc, argv);
}
int unpause_main(int argc, char** argv) {
  return control_main(kUnpause, argc, argv);
}
int cancel_main(int argc, char** argv) {
  return control_main(kCancel, argc, argv);
}

}  // namespace fantail
