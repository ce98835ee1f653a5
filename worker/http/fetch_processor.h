// A kind whose job is one fetch: keeps the fetches in flight by ticket and turns their ends into events. What
// is fetched and what the answer means is the kind's own business.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "worker/http/async_processor.h"
#include "worker/http/fetch.h"

namespace fantail {

// Makes one job's result of its answer.
class AnswerReader {
 public:
  virtual ~AnswerReader() = default;
  // The next bytes of the last response's body.
  virtual void on_body(const Response& response, std::string_view bytes) = 0;
  // The last call. An error may be the status of the answer.
  virtual JobResult finish(const Response& response, const std::optional<HttpError>& error) = 0;
};

struct FetchPlan {
  FetchRequest request;
  std::unique_ptr<AnswerReader> reader;
};

class FetchProcessor : public AsyncProcessor {
 public:
  // What to fetch for an input, or the error when there is nothing to fetch. May refer to a specification
  // that it owns: it lives as long as the processor.
  using MakePlan = std::function<std::variant<FetchPlan, HttpError>(std::string_view input)>;

  FetchProcessor(TransferEngine& engine, AsyncEvents& events, MakePlan make_plan);
  ~FetchProcessor() override;

  void start(AsyncJob job) override;
  void stop(std::uint64_t ticket, StopReason reason) override;
  void on_permit(std::uint64_t ticket, const std::string& host) override;

 private:
  class RunningJob;
  void finish(std::uint64_t ticket, JobResult result);

  TransferEngine& engine_;
  AsyncEvents& events_;
  MakePlan make_plan_;
  std::unordered_map<std::uint64_t, std::unique_ptr<RunningJob>> running_;  // after make_plan_: goes first
};

}  // namespace fantail
