// An AsyncEvents that keeps what it hears, for tests that wait for it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "worker/processor.h"

namespace fantail {

class RecordingAsyncEvents : public AsyncEvents {
 public:
  using TicketAndHost = std::pair<std::uint64_t, std::string>;
  struct Busy {
    std::uint64_t ticket;
    std::string host;
    std::chrono::microseconds retry_after;
  };

  void on_request_written(std::uint64_t ticket, const std::string& host) override {
    change([&] { written_.emplace_back(ticket, host); });
  }
  void on_permit_wanted(std::uint64_t ticket, const std::string& host) override {
    change([&] { wanted_.emplace_back(ticket, host); });
  }
  void on_host_busy(std::uint64_t ticket, const std::string& host,
                    std::chrono::microseconds retry_after) override {
    change([&] { busy_.push_back({ticket, host, retry_after}); });
  }
  void on_finished(std::uint64_t ticket, JobResult result) override {
    change([&] {
      if (!finished_.emplace(ticket, std::move(result)).second) ++finished_twice_;
    });
  }

  // These wait up to 10 s and answer false when that did not come about.
  bool wait_for_finished(std::size_t count) const {
    return wait([&] { return finished_.size() >= count; });
  }
  bool wait_for_permits_wanted(std::size_t count) const {
    return wait([&] { return wanted_.size() >= count; });
  }

  std::map<std::uint64_t, JobResult> finished() const { return copy(finished_); }
  std::vector<TicketAndHost> written() const { return copy(written_); }
  std::vector<TicketAndHost> wanted() const { return copy(wanted_); }
  std::vector<Busy> busy() const { return copy(busy_); }
  std::size_t finished_twice() const { return copy(finished_twice_); }

 private:
  void change(const std::function<void()>& what) {
    {
      const std::lock_guard lock(mutex_);
      what();
    }
    changed_.notify_all();
  }
  bool wait(const std::function<bool()>& condition) const {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), condition);
  }
  template <typename Value>
  Value copy(const Value& value) const {
    const std::lock_guard lock(mutex_);
    return value;
  }

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::vector<TicketAndHost> written_, wanted_;
  std::vector<Busy> busy_;
  std::map<std::uint64_t, JobResult> finished_;
  std::size_t finished_twice_ = 0;
};

}  // namespace fantail
