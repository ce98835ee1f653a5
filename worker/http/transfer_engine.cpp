#include "worker/http/transfer_engine.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <mutex>
#include <new>
#include <system_error>

#include "worker/http/transfer.h"

namespace fantail {

namespace {

constexpr long kMaxConnections = 1024;
constexpr std::size_t kMaxFreeHandles = 1024;
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::chrono::milliseconds kLongestWait{60'000};

void initialize_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// Whether epoll knows the descriptor already or not.
void set_interest(int epoll, int descriptor, std::uint32_t events) {
  epoll_event interest{};
  interest.events = events;
  interest.data.fd = descriptor;
  if (::epoll_ctl(epoll, EPOLL_CTL_MOD, descriptor, &interest) == 0) return;
  ::epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &interest);
}

std::uint32_t epoll_events(int curl_what) {
  return ((curl_what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) |
         ((curl_what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);
}

// Of an error or a hang-up alone libcurl finds out by itself.
int curl_readiness(std::uint32_t epoll_events) {
  return ((epoll_events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
         ((epoll_events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
}

void set_common_options(CURL* handle) {
  curl_easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);  // The URL parser has done what there was to do.
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(handle, CURLOPT_PROXY, "");  // Nor one from the environment.
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  // A name that is being looked up must not hold up the thread when the transfer is destroyed.
  curl_easy_setopt(handle, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(handle, CURLOPT_ACCEPT_ENCODING, "");  // All that libcurl can decompress.
  curl_easy_setopt(handle, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  // The folder of certificates, which libcurl would read beside the file or blob: it can do without, and
  // reads the file anew for every connection, 17 ms each time, as long as there is a folder.
  curl_easy_setopt(handle, CURLOPT_CAPATH, nullptr);
}

}  // namespace

TransferEngine::TransferEngine() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (epoll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  initialize_curl_once();
  multi_ = curl_multi_init();
  if (multi_ == nullptr) throw std::bad_alloc();
  curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kMaxConnections);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &TransferEngine::on_socket);
  curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &TransferEngine::on_multi_timer);
  curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  set_interest(epoll_, wake_event_.descriptor(), EPOLLIN);
}

TransferEngine::~TransferEngine() {
  assert(timers_.empty());
  for (CURL* handle : free_handles_)
    curl_easy_cleanup(handle);
  curl_multi_cleanup(multi_);  // Closes the connections that were kept.
  ::close(epoll_);
}

bool TransferEngine::turn(Wait wait) {
  const bool something_happened = move_ready_transfers(wait);
  move_due_transfers();
  tell_finished();
  ring_due_timers();
  return something_happened;
}

void TransferEngine::wake() {
  wake_event_.signal();
}

CURL* TransferEngine::take_handle() {
  if (!free_handles_.empty()) {
    CURL* handle = free_handles_.back();
    free_handles_.pop_back();
    return handle;
  }
  CURL* handle = curl_easy_init();
  if (handle == nullptr) throw std::bad_alloc();
  set_common_options(handle);
  return handle;
}

bool TransferEngine::start(CURL* handle) {
  return curl_multi_add_handle(multi_, handle) == CURLM_OK;
}

void TransferEngine::give_back(CURL* handle, Options options) {
  curl_multi_remove_handle(multi_, handle);  // Harmless when it is out already.
  if (free_handles_.size() >= kMaxFreeHandles) {
    curl_easy_cleanup(handle);
    return;
  }
  if (options == Options::kForget) {
    curl_easy_reset(handle);
    set_common_options(handle);
  }
  free_handles_.push_back(handle);
}

TransferEngine::TimerId TransferEngine::schedule(Clock::time_point at, std::function<void()> ring) {
  return timers_.emplace(at, std::move(ring));
}

void TransferEngine::cancel(TimerId timer) {
  timers_.erase(timer);
}

int TransferEngine::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  TransferEngine& engine = *static_cast<TransferEngine*>(self);
  const auto index = static_cast<std::size_t>(socket);
  if (index >= engine.is_watched_.size()) engine.is_watched_.resize(index + 1);
  engine.is_watched_[index] = what != CURL_POLL_REMOVE;
  // libcurl may have closed a socket before it says so, and its number may be another thread's file by now:
  // epoll is told nothing. A closed socket leaves it by itself, a kept one as soon as it has something to
  // say.
  if (what != CURL_POLL_REMOVE) set_interest(engine.epoll_, socket, epoll_events(what));
  return 0;
}

int TransferEngine::on_multi_timer(CURLM*, long wait_ms, void* self) {
  TransferEngine& engine = *static_cast<TransferEngine*>(self);
  engine.multi_due_.reset();
  if (wait_ms >= 0) engine.multi_due_ = engine.now() + std::chrono::milliseconds(wait_ms);
  return 0;
}

bool TransferEngine::move_ready_transfers(Wait wait) {
  std::array<epoll_event, kEventsAtOnce> events;
  const int longest_ms = wait == Wait::kYes ? wait_ms() : 0;
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), longest_ms);
  for (int i = 0; i < count; ++i) {  // None when a signal came: count is -1.
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_event_.descriptor()) {
      wake_event_.clear();
    } else if (is_watched_[static_cast<std::size_t>(event.data.fd)]) {
      int running = 0;
      curl_multi_socket_action(multi_, event.data.fd, curl_readiness(event.events), &running);
    } else {
      ::epoll_ctl(epoll_, EPOLL_CTL_DEL, event.data.fd, nullptr);
    }
  }
  return count > 0;
}

void TransferEngine::move_due_transfers() {
  if (!multi_due_ || *multi_due_ > now()) return;
  multi_due_.reset();  // First: libcurl may set the next one meanwhile.
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
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
  Clock::time_point until = now() + kLongestWait;
  if (!timers_.empty()) until = std::min(until, timers_.begin()->first);
  if (multi_due_) until = std::min(until, *multi_due_);
  // Rounded up: a wait that ends just before its timer would be followed by many waits of nothing.
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now());
  return static_cast<int>(std::max(left, std::chrono::milliseconds(0)).count());
}

}  // namespace fantail
