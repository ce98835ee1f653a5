#include "pipeline/app/background_task.h"

#include <cassert>
#include <utility>

namespace fantail {

BackgroundTask::BackgroundTask() : thread_([this] { run(); }) {}

BackgroundTask::~BackgroundTask() {
  {
    const std::lock_guard lock(mutex_);
    quits_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void BackgroundTask::start(std::function<void()> task) {
  assert(!running_);
  running_ = true;
  {
    const std::lock_guard lock(mutex_);
    task_ = std::move(task);
  }
  changed_.notify_all();
}

bool BackgroundTask::take_finished() {
  if (!running_) return false;
  {
    const std::lock_guard lock(mutex_);
    if (task_) return false;
  }
  finished_event_.clear();
  running_ = false;
  return true;
}

void BackgroundTask::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !task_; });
}

void BackgroundTask::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return quits_ || task_; });
    if (!task_) return;
    lock.unlock();
    task_();
    lock.lock();
    task_ = nullptr;
    finished_event_.signal();
    changed_.notify_all();
  }
}

}  // namespace fantail
