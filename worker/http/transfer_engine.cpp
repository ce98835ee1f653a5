#include "worker/http/transfer_engine.h"

#include <algorithm>
#include <cassert>
#include <mutex>
#include <new>

#include "worker/http/transfer.h"

namespace fantail {

namespace {

constexpr long kMaxConnections = 1024;
constexpr std::size_t kMaxFreeHandles = 1024;
constexpr std::chrono::milliseconds kLongestWait{60'000};

void initialize_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

TransferEngine::TransferEngine() {
  initialize_curl_once();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnections);
}

TransferEngine::~TransferEngine() {
  assert(timers_.empty());
  for (CURL* handle : free_handles_)
    curl_easy_cleanup(handle);
  curl_multi_cleanup(multi_);
}

void TransferEngine::turn() {
  int running = 0;
  curl_multi_perform(multi_, &running);
  tell_finished();
  ring_due_timers();
  curl_multi_poll(multi_, nullptr, 0, wait_ms(), nullptr);
}

void TransferEngine::wake() {
  curl_multi_wakeup(multi_);
}

CURL* TransferEngine::take_handle() {
  if (!free_handles_.empty()) {
    CURL* handle = free_handles_.back();
    free_handles_.pop_back();
    return handle;
  }
  CURL* handle = curl_easy_init();
  if (handle == nullptr) throw std::bad_alloc();
  return handle;
}

bool TransferEngine::start(CURL* handle) {
  return curl_multi_add_handle(multi_, handle) == CURLM_OK;
}

void TransferEngine::give_back(CURL* handle) {
  curl_multi_remove_handle(multi_, handle);  // Harmless when it is out already.
  if (free_handles_.size() >= kMaxFreeHandles) {
    curl_easy_cleanup(handle);
    return;
  }
  curl_easy_reset(handle);
  free_handles_.push_back(handle);
}

TransferEngine::TimerId TransferEngine::schedule(Clock::time_point at, std::function<void()> ring) {
  return timers_.emplace(at, std::move(ring));
}

void TransferEngine::cancel(TimerId timer) {
  timers_.erase(timer);
}

void TransferEngine::tell_finished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* handle = message->easy_handle;
    const CURLcode code = message->data.result;
    Transfer* transfer = nullptr;
    curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
    curl_multi_remove_handle(multi_, handle);
    transfer->on_done(code);  // May destroy the transfer and start others.
  }
}

void TransferEngine::ring_due_timers() {
  const Clock::time_point until = now();
  while (!timers_.empty() && timers_.begin()->first <= until) {
    const auto timer = timers_.extract(timers_.begin());
    timer.mapped()();
  }
}

int TransferEngine::wait_ms() const {
  if (timers_.empty()) return static_cast<int>(kLongestWait.count());
  // Rounded up: a wait that ends just before its timer would be followed by many waits of nothing.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(timers_.begin()->first - now());
  return static_cast<int>(std::clamp(left, std::chrono::milliseconds(0), kLongestWait).count());
}

}  // namespace fantail
