// An eventfd: lets another thread wake a poller.
#pragma once

namespace fantail {

class WakeEvent {
 public:
  WakeEvent();
  ~WakeEvent();
  WakeEvent(const WakeEvent&) = delete;
  WakeEvent& operator=(const WakeEvent&) = delete;
  int descriptor() const { return descriptor_; }
  void signal();  // any thread
  void clear();

 private:
  int descriptor_;
};

}  // namespace fantail
