// A thread for kinds that wait for the network: a thousand transfers at once, none of which
// blocks another. Owns the processor of the current kind. Knows neither leases nor sockets of ours.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "kinds.pb.h"
#include "worker/http/async_processor.h"
#include "worker/http/transfer_engine.h"
#include "worker/processor.h"

namespace fantail {

// All functions return at once. Jobs submitted together may end in any order.
class HttpLoop {
 public:
  // Events come on the loop's thread. They must not block, and may call this loop.
  explicit HttpLoop(AsyncEvents& events);
  // Unfinished jobs are torn down without an event.
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  // Jobs submitted from now on are of this kind; those of the former are torn down without an event. The
  // first call starts the thread. A kind that is neither urls nor prices makes every job fail.
  void set_kind(const proto::KindSpec& spec);
  void submit(std::vector<AsyncJob> jobs);
  // Answered by JobResult::stopped(reason), unless the job has finished meanwhile.
  void stop(std::uint64_t ticket, StopReason reason);
  // Answers AsyncEvents::on_permit_wanted.
  void permit(std::uint64_t ticket, std::string host);

 private:
  struct Stop {
    std::uint64_t ticket;
    StopReason reason;
  };
  struct Permit {
    std::uint64_t ticket;
    std::string host;
  };
  struct Quit {};
  using Command = std::variant<proto::KindSpec, std::vector<AsyncJob>, Stop, Permit, Quit>;

  void post(Command command);
  void run();
  void apply_commands();
  void apply(const proto::KindSpec& spec);
  void apply(std::vector<AsyncJob>& jobs);
  void apply(const Stop& stop);
  void apply(const Permit& permit);
  void apply(const Quit& quit);

  AsyncEvents& events_;
  std::mutex mutex_;
  std::vector<Command> commands_;  // under mutex_
  // Made once under mutex_; from then on the loop's thread has it, apart from wake().
  std::optional<TransferEngine> engine_;
  // The loop's thread alone.
  std::unique_ptr<AsyncProcessor> processor_;
  bool quits_ = false;

  std::thread thread_;
};

}  // namespace fantail
