#include "worker/http/http_loop.h"

#include <utility>

#include "worker/processors/prices.h"
#include "worker/processors/urls.h"

namespace fantail {

HttpLoop::HttpLoop(AsyncEvents& events) : events_(events) {}

HttpLoop::~HttpLoop() {
  if (!thread_.joinable()) return;
  post(Quit{});
  thread_.join();
}

void HttpLoop::set_kind(const proto::KindSpec& spec) {
  post(spec);
  const std::lock_guard lock(mutex_);
  if (engine_) return;
  engine_.emplace();
  thread_ = std::thread([this] { run(); });
}

void HttpLoop::submit(std::vector<AsyncJob> jobs) {
  post(std::move(jobs));
}

void HttpLoop::stop(std::uint64_t ticket, StopReason reason) {
  post(Stop{ticket, reason});
}

void HttpLoop::permit(std::uint64_t ticket, std::string host) {
  post(Permit{ticket, std::move(host)});
}

void HttpLoop::post(Command command) {
  const std::lock_guard lock(mutex_);
  commands_.push_back(std::move(command));
  // The thread takes all commands at once: whoever came before this one has woken it.
  if (engine_ && commands_.size() == 1) engine_->wake();
}

void HttpLoop::run() {
  while (true) {
    apply_commands();
    if (quits_) break;
    const bool is_busy = engine_->turn(TransferEngine::Wait::kNo);
    events_.on_turn_over(is_busy);
    if (!is_busy) engine_->turn();
  }
  processor_.reset();  // Before the engine that its transfers run in.
}

void HttpLoop::apply_commands() {
  std::vector<Command> commands;
  {
    const std::lock_guard lock(mutex_);
    commands.swap(commands_);
  }
  for (Command& command : commands) {
    std::visit([this](auto& value) { apply(value); }, command);
  }
}

void HttpLoop::apply(const proto::KindSpec& spec) {
  processor_.reset();
  if (spec.has_urls()) processor_ = make_urls_processor(spec.urls(), *engine_, events_);
  if (spec.has_prices()) processor_ = make_prices_processor(spec.prices(), *engine_, events_);
}

void HttpLoop::apply(std::vector<AsyncJob>& jobs) {
  for (AsyncJob& job : jobs) {
    if (processor_) {
      processor_->start(std::move(job));
    } else {
      events_.on_finished(job.ticket,
                          JobResult::failed("unknown_kind", "this worker cannot do the run's kind"));
    }
  }
}

void HttpLoop::apply(const Stop& stop) {
  if (processor_) processor_->stop(stop.ticket, stop.reason);
}

void HttpLoop::apply(const Permit& permit) {
  if (processor_) processor_->on_permit(permit.ticket, permit.host);
}

void HttpLoop::apply(const Quit&) {
  quits_ = true;
}

}  // namespace fantail
