// The transfers of one thread: a libcurl multi handle, the easy handles that are free for the next exchange,
// and timers. Knows nothing of jobs, redirects or permits.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <functional>
#include <map>
#include <vector>

namespace fantail {

class TransferEngine {
 public:
  using Clock = std::chrono::steady_clock;
  using Timers = std::multimap<Clock::time_point, std::function<void()>>;
  using TimerId = Timers::iterator;

  TransferEngine();
  // Requires: every handle was given back.
  ~TransferEngine();
  TransferEngine(const TransferEngine&) = delete;
  TransferEngine& operator=(const TransferEngine&) = delete;

  Clock::time_point now() const { return Clock::now(); }

  // One turn: moves all transfers on, tells the finished ones, rings the timers that are due, then waits
  // until something happens or wake() is called.
  void turn();
  // The only call for other threads: ends the wait of this or the next turn.
  void wake();

  // A handle without options, reset; its CURLOPT_PRIVATE must become the Transfer that it works for.
  CURL* take_handle();
  // Starts the exchange; false when libcurl refuses.
  bool start(CURL* handle);
  // Ends the exchange, if it still runs, and keeps the handle for the next.
  void give_back(CURL* handle);

  // Calls ring once, in the turn after `at`.
  TimerId schedule(Clock::time_point at, std::function<void()> ring);
  // Requires: the timer has not rung.
  void cancel(TimerId timer);

 private:
  void tell_finished();
  void ring_due_timers();
  int wait_ms() const;

  CURLM* multi_;
  std::vector<CURL*> free_handles_;
  Timers timers_;
};

}  // namespace fantail
