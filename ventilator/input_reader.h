// Reads a source on a thread of its own, since a source may block, and hands the inputs over in batches. It
// runs at most a few batches ahead.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "pipeline/app/wake_event.h"
#include "ventilator/sources/source.h"

namespace fantail {

struct InputBatch {
  std::vector<std::string> inputs;
  bool end = false;
  std::uint64_t skipped = 0;           // special files passed over so far
  std::vector<std::uint64_t> longest;  // at the end: see Source::longest
  std::optional<std::string> error;    // the input could not be read to its end
};

class InputReader {
 public:
  explicit InputReader(std::unique_ptr<Source> source);
  ~InputReader();
  InputReader(const InputReader&) = delete;
  InputReader& operator=(const InputReader&) = delete;

  int descriptor() const { return ready_.descriptor(); }  // readable when next() may have something
  std::optional<InputBatch> next();
  void stop();  // no more inputs are wanted

 private:
  void read();

  std::unique_ptr<Source> source_;
  WakeEvent ready_;
  std::mutex mutex_;
  std::condition_variable space_;
  std::deque<InputBatch> batches_;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace fantail
