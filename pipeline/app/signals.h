// SIGINT and SIGTERM as a readable descriptor. Make it before any thread is started: threads inherit the
// blocked signals.
#pragma once

#include <optional>

namespace fantail {

class Signals {
 public:
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  int descriptor() const { return descriptor_; }
  std::optional<int> next();  // the next signal that came; never blocks

 private:
  int descriptor_;
};

// The kernel ends this process when its parent dies, whatever killed it.
void end_with_parent(int parent);

}  // namespace fantail
