#include "ventilator/input_reader.h"

#include <algorithm>
#include <utility>

namespace fantail {

namespace {

// Small at first, so that the run starts at once on a slow disk too.
constexpr std::size_t kFirstBatch = 16;
constexpr std::size_t kBatchMax = 4096;
constexpr std::size_t kBatchesAhead = 4;

}  // namespace

InputReader::InputReader(std::unique_ptr<Source> source)
    : source_(std::move(source)), thread_([this] { read(); }) {}

InputReader::~InputReader() {
  stop();
  thread_.join();
}

void InputReader::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  space_.notify_all();
  source_->interrupt();
}

std::optional<InputBatch> InputReader::next() {
  const std::lock_guard lock(mutex_);
  ready_.clear();
  if (batches_.empty()) return std::nullopt;
  InputBatch batch = std::move(batches_.front());
  batches_.pop_front();
  if (!batches_.empty()) ready_.signal();
  space_.notify_one();
  return batch;
}

void InputReader::read() {
  std::size_t limit = kFirstBatch;
  bool end = false;
  while (!end) {
    InputBatch batch;
    auto status = source_->read(limit, batch.inputs);
    limit = std::min(limit * 2, kBatchMax);
    if (auto* error = std::get_if<SourceError>(&status)) {
      batch.error = error->message;
      batch.end = true;
    } else {
      batch.end = std::get<SourceStatus>(status) == SourceStatus::kEnd;
    }
    batch.skipped = source_->skipped();
    end = batch.end;
    if (end) batch.longest = source_->longest();
    std::unique_lock lock(mutex_);
    space_.wait(lock, [this] { return stopped_ || batches_.size() < kBatchesAhead; });
    if (stopped_) return;
    batches_.push_back(std::move(batch));
    ready_.signal();
  }
}

}  // namespace fantail
