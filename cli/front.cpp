#include "cli/front.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iostream>

#include "cli/control.h"
#include "cli/results.h"
#include "cli/run.h"
#include "cli/runs.h"
#include "cli/submit.h"
#include "cli/verify.h"
#include "pipeline/app/child_process.h"
#include "pipeline/app/command_line.h"

namespace fantail {

namespace {

constexpr const char* kHelp = R"(fantail: fan work out to many processes and fan the results in.

On this machine, all in one:
  fantail run files /usr/include
  fantail run urls --input urls.txt --output pages.jsonl
  fantail run prices --product B0001 --vendors vendors.yaml
  fantail run exec -- echo {} ::: a b c
  seq 1000 | fantail run map --sum . -- ./square.py

What was run:
  fantail runs
  fantail results --status failed
  fantail verify

While it runs:
  fantail pause
  fantail unpause
  fantail cancel

On many machines, in any order:
  fantail sink       --bind tcp://*:5558 --insecure --output results.jsonl --report report.json
  fantail ventilator --bind tcp://*:5557 --insecure --sink tcp://sinkhost:5558 urls --input urls.txt
  fantail worker     --ventilator tcp://venthost:5557 --insecure

Many runs on the same machines, beside each other:
  fantail sink       --serve --bind tcp://*:5558 --insecure --report 'reports/{run}.json'
  fantail ventilator --serve --bind tcp://*:5557 --insecure --sink tcp://sinkhost:5558
  fantail worker     --ventilator tcp://venthost:5557 --insecure
  fantail submit     --ventilator tcp://venthost:5557 --insecure --priority 5 urls --input urls.txt

Each of them has --help; `fantail run files --help` has the flags of a kind.
)";

int execute_role(const std::string& role, int argc, char** argv) {
  const std::string path = role_executable(role);
  std::string name = "fantail-" + role;
  std::vector<char*> arguments{name.data()};
  for (int index = 2; index < argc; ++index)
    arguments.push_back(argv[index]);
  arguments.push_back(nullptr);
  execv(path.c_str(), arguments.data());
  return complain("fantail", "cannot execute " + path + ": " + std::strerror(errno) + "; reinstall fantail",
                  kExitInfrastructure);
}

}  // namespace

int front_main(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "--help";
  if (command == "ventilator" || command == "worker" || command == "sink")
    return execute_role(command, argc, argv);
  if (command == "run") return run_main(argc - 1, argv + 1);
  if (command == "submit") return submit_main(argc - 1, argv + 1);
  if (command == "runs") return runs_main(argc - 1, argv + 1);
  if (command == "results") return results_main(argc - 1, argv + 1);
  if (command == "verify") return verify_main(argc - 1, argv + 1);
  if (command == "pause") return pause_main(argc - 1, argv + 1);
  if (command == "unpause") return unpause_main(argc - 1, argv + 1);
  if (command == "cancel") return cancel_main(argc - 1, argv + 1);
  if (command == "--version") {
    std::cout << kVersion << '\n';
    return 0;
  }
  if (command == "--help" || command == "-h" || command == "help") {
    std::cout << kHelp;
    return argc > 1 ? 0 : kExitUsage;
  }
  return complain("fantail", "there is no command \"" + command +
                                 "\": use run, submit, runs, results, verify, pause, unpause, cancel, "
                                 "ventilator, worker or sink (see fantail --help)");
}

}  // namespace fantail
