// Runs one task at a time on a thread of its own, beside a poll loop.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "pipeline/app/wake_event.h"

namespace fantail {

// All functions are called on the loop's thread.
class BackgroundTask {
 public:
  BackgroundTask();
  ~BackgroundTask();  // waits for what runs

  // Requires: none is running. What the task touches is its own until it has finished.
  void start(std::function<void()> task);
  // Started, and take_finished() has not said yet that it is over.
  bool running() const { return running_; }
  // True once after each task.
  bool take_finished();
  void wait();  // until the task has finished; take_finished() tells next
  int descriptor() const { return finished_event_.descriptor(); }  // readable when a task has finished

 private:
  void run();

  bool running_ = false;
  WakeEvent finished_event_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> task_;  // until it has finished
  bool quits_ = false;
  std::thread thread_;
};

}  // namespace fantail
