#include "worker/http/fetch_processor.h"

#include <cassert>
#include <utility>

namespace fantail {

class FetchProcessor::RunningJob : public FetchListener {
 public:
  RunningJob(FetchProcessor& processor, std::uint64_t ticket, FetchPlan plan)
      : processor_(processor),
        ticket_(ticket),
        reader_(std::move(plan.reader)),
        fetch_(processor.engine_, std::move(plan.request), *this) {}

  Fetch& fetch() { return fetch_; }

  void on_request_written(const std::string& host) override {
    processor_.events_.on_request_written(ticket_, host);
  }
  void on_permit_wanted(const std::string& host) override {
    processor_.events_.on_permit_wanted(ticket_, host);
  }
  void on_body(const Response& response, std::string_view bytes) override {
    reader_->on_body(response, bytes);
  }
  void on_fetched(const Response& response, FetchEnd end) override {
    if (end.stopped != StopReason::kNone) {
      return processor_.finish(ticket_, JobResult::stopped(end.stopped));
    }
    const bool refused = !end.error && response.status_code >= 400;
    if (refused) end.error = read_status_code(response.status_code);
    JobResult result = reader_->finish(response, end.error);
    if (refused) {
      result.passing = is_passing_status(response.status_code);
      result.retry_after = response.retry_after;
      if (is_busy_status(response.status_code))
        processor_.events_.on_host_busy(ticket_, response.url.host_and_port(), response.retry_after);
    }
    processor_.finish(ticket_, std::move(result));
  }

 private:
  FetchProcessor& processor_;
  const std::uint64_t ticket_;
  std::unique_ptr<AnswerReader> reader_;
  Fetch fetch_;
};

FetchProcessor::FetchProcessor(TransferEngine& engine, AsyncEvents& events, MakePlan make_plan)
    : engine_(engine), events_(events), make_plan_(std::move(make_plan)) {}

FetchProcessor::~FetchProcessor() = default;

void FetchProcessor::start(AsyncJob job) {
  std::variant<FetchPlan, HttpError> plan = make_plan_(job.input);
  if (HttpError* error = std::get_if<HttpError>(&plan)) {
    events_.on_finished(job.ticket, JobResult::failed(std::move(error->code), std::move(error->message)));
    return;
  }
  FetchPlan& fetch_plan = std::get<FetchPlan>(plan);
  fetch_plan.request.time_left = job.time_left;
  auto running = std::make_unique<RunningJob>(*this, job.ticket, std::move(fetch_plan));
  const auto [place, is_new] = running_.emplace(job.ticket, std::move(running));
  assert(is_new);
  place->second->fetch().start();
}

void FetchProcessor::stop(std::uint64_t ticket, StopReason reason) {
  if (running_.contains(ticket)) finish(ticket, JobResult::stopped(reason));
}

void FetchProcessor::on_permit(std::uint64_t ticket, const std::string& host) {
  const auto found = running_.find(ticket);
  if (found != running_.end()) found->second->fetch().on_permit(host);
}

void FetchProcessor::finish(std::uint64_t ticket, JobResult result) {
  running_.erase(ticket);
  events_.on_finished(ticket, std::move(result));
}

}  // namespace fantail
