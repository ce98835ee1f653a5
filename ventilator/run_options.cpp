#include "ventilator/run_options.h"

#include <charconv>

#include "pipeline/duration.h"
#include "pipeline/halt.h"
#include "pipeline/rate.h"

namespace fantail {

namespace {

constexpr std::uint32_t kHedgeLimit = 5;  // percent
constexpr std::uint32_t kPercentMost = 100'000;

void add_halt_options(CLI::App& app, RunOptions& options) {
  CLI::Option* halt =
      app.add_option_function<std::string>(
             "--halt",
             [&options](const std::string& text) {
               options.halt = parse_halt(text);
               if (!options.halt) {
                 throw CLI::ValidationError("--halt",
                                            "\"" + text +
                                                "\" is no such policy: write now or soon, then fail, "
                                                "success or done: now,fail=1 or soon,done=50%");
               }
             },
             "End the run early: now,fail=1 stops what runs, soon,fail=3% lets it finish; also success= and "
             "done=")
          ->type_name("WHEN,WHAT=N[%]")
          ->group("Run");
  app.add_flag("--first{1}", options.first,
               "The first N successes win [1]: the run is over, all other jobs are cancelled")
      ->check(CLI::PositiveNumber)
      ->excludes(halt)
      ->group("Run");
}

std::optional<BackoffPolicy> parse_backoff(const std::string& text) {
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) return std::nullopt;
  const auto first = parse_duration(text.substr(0, dots));
  const auto longest = parse_duration(text.substr(dots + 2));
  if (!first || !longest || *first > *longest) return std::nullopt;
  return BackoffPolicy{*first, *longest};
}

// 200%
std::optional<std::uint32_t> parse_percent(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  std::uint32_t percent = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), percent);
  if (error != std::errc() || end != text.data() + text.size() || percent > kPercentMost) return std::nullopt;
  return percent;
}

// 5s, or 200%.
bool read_timeout(const std::string& text, RunOptions& options) {
  if (const auto percent = parse_percent(text)) {
    options.timeout_percent = *percent;
    return *percent >= 100;
  }
  options.timeout = parse_duration(text).value_or(Duration{0});
  return options.timeout.count() > 0;
}

void read_hedge(const std::string& text, RunOptions& options) {
  const std::optional<std::uint32_t> percent = text == "p95" ? 0 : parse_percent(text);
  if (!percent) {
    throw CLI::ValidationError("--hedge", "\"" + text +
                                              "\" does not say when a job is late: write p95, or 200% of the "
                                              "median so far");
  }
  if (text != "p95" && *percent <= 100) {
    throw CLI::ValidationError("--hedge", "\"" + text +
                                              "\" is no more than the median, by which half of all jobs are "
                                              "not done: write p95, or 200%");
  }
  options.hedge.emplace().set_percent(*percent);
}

void add_hedge_options(CLI::App& app, RunOptions& options) {
  app.add_option_function<std::string>(
         "--hedge", [&options](const std::string& text) { read_hedge(text, options); },
         "A job that takes longer than 95 % of the others (p95), or than 200% of their median, gets a second "
         "copy on another worker where a slot is idle; the first result wins")
      ->type_name("p95|N%")
      ->group("Run");
  app.add_option_function<std::string>(
         "--hedge-limit",
         [&options](const std::string& text) {
           options.hedge_limit = parse_percent(text).value_or(0);
           if (options.hedge_limit == 0 || options.hedge_limit > 100)
             throw CLI::ValidationError("--hedge-limit",
                                        "\"" + text + "\" is no share of the work: write 1% to 100%");
         },
         "Copies add no more work than that to the run's, one copy aside that may always be [5%]")
      ->type_name("N%")
      ->group("Run");
}

}  // namespace

void add_run_options(CLI::App& app, RunOptions& options) {
  add_duration(app, "--deadline", options.deadline, "When the whole run must be over; open jobs expire")
      ->group("Run");
  add_duration(app, "--wait", options.wait, "Give up when no worker or no sink came so long")->group("Run");
  add_duration(app, "--heartbeat", options.heartbeat, "How often workers say that they live [1s]")
      ->group("Run");
  app.add_option("--max-deaths", options.deaths_max,
                 "A job is given up when so many workers died of it, the last one alone with it; 0: never")
      ->capture_default_str()
      ->group("Run");
  add_halt_options(app, options);
  app.add_option_function<std::string>(
         "--input-format", [&options](const std::string& text) { options.job_lines = text == "jsonl"; },
         "What an input is: lines, or jsonl: {\"input\": …, \"group\": …, \"priority\": …, \"timeout\": …}; "
         "with "
         "--first each group is a race of its own [lines]")
      ->check(CLI::IsMember({"lines", "jsonl"}))
      ->type_name("FORMAT")
      ->group("Run");
  app.add_option("--max-running", options.max_running,
                 "At most N jobs run at a time, over all workers; 0: as many as there are slots [0]")
      ->type_name("N")
      ->group("Run");
  app.add_option_function<std::string>(
         "--rate",
         [&options](const std::string& text) {
           const std::optional<double> rate = parse_rate(text);
           if (!rate)
             throw CLI::ValidationError("--rate", "\"" + text + "\" is no rate: write 100/s, 30/m or 5/h");
           options.rate = *rate;
         },
         "So many jobs start in a second (100/s), minute (30/m) or hour (5/h), over all workers")
      ->type_name("RATE")
      ->group("Run");
  app.add_option_function<std::string>(
         "--timeout",
         [&options](const std::string& text) {
           if (!read_timeout(text, options)) {
             throw CLI::ValidationError(
                 "--timeout", "\"" + text + "\" is no timeout: write 5s, or 200% of the median so far");
           }
         },
         "An attempt that takes longer is stopped and failed; 200%: of the median of the jobs so far")
      ->type_name("DURATION|N%")
      ->group("Run");
  app.add_option("--retries", options.retries,
                 "So many more attempts for a job whose failure may pass: a timeout, not a missing file")
      ->capture_default_str()
      ->type_name("N")
      ->group("Run");
  app.add_option_function<std::string>(
         "--backoff",
         [&options](const std::string& text) {
           const std::optional<BackoffPolicy> backoff = parse_backoff(text);
           if (!backoff) {
             throw CLI::ValidationError("--backoff",
                                        "\"" + text + "\" is no range of durations: write 1s..30s");
           }
           options.backoff = *backoff;
         },
         "How long to wait before another attempt: up to the first, doubled each time, up to the second "
         "[1s..30s]")
      ->type_name("FIRST..LONGEST")
      ->group("Run");
  add_hedge_options(app, options);
}

std::variant<RunRequest, std::string> make_request(KindCommand& command, const RunOptions& options) {
  if (options.hedge_limit > 0 && !options.hedge)
    return "--hedge-limit bounds what --hedge adds: give --hedge p95 as well";
  command.input_format = options.job_lines ? proto::INPUT_JOB_LINE : proto::INPUT_PLAIN;
  auto made = command.make_request();
  auto* request = std::get_if<RunRequest>(&made);
  if (request == nullptr) return made;
  if (options.job_lines && (request->generated || !request->walked.empty()))
    return "--input-format jsonl needs jobs as lines of JSON, and here none are read: give --input FILE";
  if (options.hedge && request->hosts.limits())
    return "--hedge asks a host twice for the same thing, and here hosts have limits: give --per-host 0 and "
           "no --delay, or leave --hedge out";
  request->spec.set_input_format(command.input_format);
  return made;
}

DispatchPolicy make_dispatch_policy(const RunOptions& options, const RunRequest& request) {
  DispatchPolicy policy;
  policy.hosts = request.hosts;
  policy.asynchronous = request.asynchronous;
  policy.kind = request.kind;
  policy.input_format = request.spec.input_format();
  policy.heartbeat = options.heartbeat;
  policy.deadline = options.deadline;
  policy.wait = options.wait;
  policy.deaths_max = options.deaths_max;
  policy.max_running = options.max_running;
  policy.rate = options.rate;
  policy.backoff = options.backoff;
  policy.timeout = options.timeout;
  policy.timeout_percent = options.timeout_percent;
  return policy;
}

proto::RunPolicy make_run_policy(const RunOptions& options) {
  proto::RunPolicy policy;
  policy.set_attempts(options.retries + 1);
  policy.set_timeout_percent(options.timeout_percent);
  if (options.hedge) {
    *policy.mutable_hedge() = *options.hedge;
    policy.mutable_hedge()->set_limit_percent(options.hedge_limit > 0 ? options.hedge_limit : kHedgeLimit);
  }
  if (options.halt) *policy.mutable_halt() = *options.halt;
  if (options.first == 0) return policy;
  proto::Halt& goal = *policy.mutable_halt();
  goal.set_level(proto::STOP_RUNNING);
  goal.set_what(proto::Halt::OK);
  goal.set_jobs(options.first);
  goal.set_per_group(options.job_lines);
  return policy;
}

}  // namespace fantail
