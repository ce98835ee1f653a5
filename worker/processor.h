// What a worker does to one job. A kind is one processor: synchronous ones run on the worker's threads,
// asynchronous ones on its HTTP event loops. Neither knows sockets of ours, leases or credit.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "messages.pb.h"
#include "pipeline/instant.h"
#include "pipeline/range_set.h"
#include "pipeline/status.h"
#include "worker/stop_token.h"

namespace fantail {

// What a processor answers. A failed job may carry a partial payload (an HTTP status, say).
struct JobResult {
  Status status = Status::kOk;
  std::string error_code;                    // "" when ok; else a stable word such as "not_found"
  std::string error_message;                 // one sentence for people
  std::string payload;                       // the kind's serialized Result message; may be empty
  bool passing = false;                      // failed, and another attempt may go well
  std::chrono::microseconds retry_after{0};  // but not before; 0: nobody said so

  static JobResult ok(std::string payload) { return {Status::kOk, {}, {}, std::move(payload), false}; }
  // Whether it passes is told by the code.
  static JobResult failed(std::string code, std::string message, std::string payload = {});
  // The answer of work that was told to stop.
  static JobResult stopped(StopReason reason);
};

// What a running job writes beyond what its result will carry, on its way to the sink.
class OutputChannel {
 public:
  virtual ~OutputChannel() = default;
  // Whether a piece may be sent. Too much of what was sent before may not be durable yet.
  virtual bool has_room() = 0;
  virtual int descriptor() const = 0;  // becomes readable when there may be room again
  virtual void send(proto::JobOutput piece) = 0;
};

// One synchronous job in its slot.
struct SyncJob {
  std::string_view input;
  JobId id = 0;
  std::uint32_t attempt = 1;
  std::uint32_t slot = 1;                            // 1 to the number of slots
  std::optional<Duration> time_left = std::nullopt;  // until the run's deadline
  OutputChannel* output = nullptr;                   // null: nobody takes any
};

class SyncProcessor {
 public:
  virtual ~SyncProcessor() = default;
  // Called from one thread only: each worker thread makes its own processor (buffers can be members).
  virtual JobResult process(const SyncJob& job, const StopToken& stop) = 0;
};

// One asynchronous job in flight, as the event loop sees it.
struct AsyncJob {
  std::uint64_t ticket = 0;  // names the job towards the session; unique in this process
  std::string input;
  std::optional<std::chrono::microseconds> time_left;  // until the run's deadline; a request gets no more
};

// The way out of an asynchronous processor, called on the thread of its event loop.
class AsyncEvents {
 public:
  virtual ~AsyncEvents() = default;
  // The request was written to host ("example.com:443"): its permit's delay counts from now.
  virtual void on_request_written(std::uint64_t ticket, const std::string& host) = 0;
  // The job wants to go on at another host: wait for AsyncProcessor::on_permit.
  virtual void on_permit_wanted(std::uint64_t ticket, const std::string& host) = 0;
  // The host answers that it has too much to do. It asked for so long a pause; 0: it did not say.
  virtual void on_host_busy(std::uint64_t ticket, const std::string& host,
                            std::chrono::microseconds retry_after) = 0;
  virtual void on_finished(std::uint64_t ticket, JobResult result) = 0;
  // The loop has told what it found ready. It sleeps next unless it is busy: the moment to hand over what it
  // told.
  virtual void on_turn_over(bool is_busy) { static_cast<void>(is_busy); }
};

}  // namespace fantail
