// The transfers of one thread: a libcurl multi handle driven by epoll, the easy handles that are free for the
// next exchange, and timers. An event costs the same however many other transfers wait. Knows nothing of
// jobs, redirects or permits. https://curl.se/libcurl/c/curl_multi_socket_action.html
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "pipeline/app/wake_event.h"

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

  // One turn: waits until something happens or wake() is called, moves on the transfers that it concerns,
  // tells the finished ones, rings the timers that are due. Returns whether anything but time did happen.
  enum class Wait { kNo, kYes };
  bool turn(Wait wait = Wait::kYes);
  // The only call for other threads: ends the wait of this or the next turn.
  void wake();

  // A handle with the options that all exchanges share. Its CURLOPT_PRIVATE must become the Transfer that it
  // works for.
  CURL* take_handle();
  // Starts the exchange; false when libcurl refuses.
  bool start(CURL* handle);
  // Ends the exchange, if it still runs, and keeps the handle for the next: with its options or without.
  enum class Options { kKeep, kForget };
  void give_back(CURL* handle, Options options);

  // Calls ring once, in the turn after `at`.
  TimerId schedule(Clock::time_point at, std::function<void()> ring);
  // Requires: the timer has not rung.
  void cancel(TimerId timer);

 private:
  static int on_socket(CURL* handle, curl_socket_t socket, int what, void* self, void*);
  static int on_multi_timer(CURLM* multi, long wait_ms, void* self);
  bool move_ready_transfers(Wait wait);
  void move_due_transfers();
  void tell_finished();
  void ring_due_timers();
  int wait_ms() const;

  int epoll_;
  WakeEvent wake_event_;
  std::vector<bool> is_watched_;  // by the number of the socket: libcurl wants its events
  CURLM* multi_;
  std::optional<Clock::time_point> multi_due_;  // when libcurl wants to look at its own timers
  std::vector<CURL*> free_handles_;
  Timers timers_;
};

}  // namespace fantail
