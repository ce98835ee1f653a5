// The least that gets pages by libcurl's multi interface and reads them with fantail's parser: a list of URLs
// in, totals out. Nothing is reported per page, nothing is kept, nothing is retried. Each thread has a multi
// handle on epoll and takes the next URL when one of its transfers ends; easy handles and their connections
// are used again.
//
// usage: bench-page-fetch THREADS TRANSFERS URLS-FILE [--no-parse]
#include <curl/curl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "pipeline/url/url.h"
#include "worker/html/page_scanner.h"

namespace {

using Clock = std::chrono::steady_clock;

struct Totals {
  std::uint64_t pages = 0;
  std::uint64_t bytes = 0;
  std::uint64_t words = 0;
  std::uint64_t links = 0;
};

struct Work {
  std::vector<std::string> urls;
  bool parses = true;
  std::atomic<std::size_t> next{0};
};

struct Transfer {
  CURL* handle = nullptr;
  std::optional<fantail::PageScanner> scanner;
  std::uint64_t bytes = 0;
};

class Loop {
 public:
  Loop(Work& work, std::size_t transfers)
      : work_(work), epoll_(::epoll_create1(0)), multi_(curl_multi_init()) {
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(transfers));
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Loop::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Loop::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
    for (std::size_t i = 0; i < transfers; ++i)
      transfers_.push_back(make_transfer());
  }
  ~Loop() {
    for (const auto& transfer : transfers_)
      curl_easy_cleanup(transfer->handle);
    curl_multi_cleanup(multi_);
    ::close(epoll_);
  }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Totals run() {
    for (const auto& transfer : transfers_)
      begin_next(*transfer);
    std::array<epoll_event, 256> events;
    while (running_ > 0) {
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait_ms());
      int running = 0;
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        const int ready = ((event.events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
                          ((event.events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0);
        curl_multi_socket_action(multi_, event.data.fd, ready, &running);
      }
      if (due_ && *due_ <= Clock::now()) {
        due_.reset();
        curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
      }
      finish_transfers();
    }
    return totals_;
  }

 private:
  std::unique_ptr<Transfer> make_transfer() {
    auto transfer = std::make_unique<Transfer>();
    transfer->handle = curl_easy_init();
    curl_easy_setopt(transfer->handle, CURLOPT_PRIVATE, transfer.get());
    curl_easy_setopt(transfer->handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer->handle, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(transfer->handle, CURLOPT_WRITEDATA, transfer.get());
    curl_easy_setopt(transfer->handle, CURLOPT_WRITEFUNCTION, &Loop::on_body);
    return transfer;
  }

  void begin_next(Transfer& transfer) {
    const std::size_t index = work_.next.fetch_add(1);
    if (index >= work_.urls.size()) return;
    const std::string& url = work_.urls[index];
    if (work_.parses) transfer.scanner.emplace("text/html; charset=utf-8", *fantail::parse_url(url));
    transfer.bytes = 0;
    curl_easy_setopt(transfer.handle, CURLOPT_URL, url.c_str());
    curl_multi_add_handle(multi_, transfer.handle);
    ++running_;
  }

  void finish_transfers() {
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      CURL* handle = message->easy_handle;
      long status = 0;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
      curl_easy_getinfo(handle, CURLINFO_PRIVATE, &transfer);
      if (message->data.result != CURLE_OK || status != 200) {
        std::fprintf(stderr, "failed: %s, status %ld\n", curl_easy_strerror(message->data.result), status);
        std::exit(1);
      }
      ++totals_.pages;
      totals_.bytes += transfer->bytes;
      if (transfer->scanner) {
        const fantail::Page page = transfer->scanner->finish();
        totals_.words += page.words;
        totals_.links += page.links.size();
      }
      curl_multi_remove_handle(multi_, handle);
      --running_;
      begin_next(*transfer);
    }
  }

  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) {
    Transfer& transfer = *static_cast<Transfer*>(self);
    transfer.bytes += size;
    if (transfer.scanner) transfer.scanner->feed({data, size});
    return size;
  }

  static int on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    const int epoll = static_cast<Loop*>(self)->epoll_;
    if (what == CURL_POLL_REMOVE) {
      ::epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
      return 0;
    }
    epoll_event event{};
    event.data.fd = socket;
    event.events =
        ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0u) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0u);
    if (::epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) != 0)
      ::epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
    return 0;
  }

  static int on_timer(CURLM*, long wait_ms, void* self) {
    Loop& loop = *static_cast<Loop*>(self);
    loop.due_.reset();
    if (wait_ms >= 0) loop.due_ = Clock::now() + std::chrono::milliseconds(wait_ms);
    return 0;
  }

  int wait_ms() const {
    if (!due_) return -1;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(*due_ - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
  }

  Work& work_;
  int epoll_;
  CURLM* multi_;
  std::vector<std::unique_ptr<Transfer>> transfers_;
  std::optional<Clock::time_point> due_;
  std::size_t running_ = 0;
  Totals totals_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr, "usage: %s THREADS TRANSFERS URLS-FILE [--no-parse]\n", argv[0]);
    return 2;
  }
  const auto threads = std::strtoul(argv[1], nullptr, 10);
  const auto transfers = std::strtoul(argv[2], nullptr, 10);
  Work work;
  work.parses = argc == 4;
  std::ifstream file(argv[3]);
  for (std::string line; std::getline(file, line);)
    work.urls.push_back(line);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  const auto start = Clock::now();
  std::vector<Totals> totals(threads);
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i)
      running.emplace_back([&, i] { totals[i] = Loop(work, transfers / threads).run(); });
  }
  const std::chrono::duration<double> took = Clock::now() - start;
  Totals sum;
  for (const Totals& each : totals) {
    sum.pages += each.pages;
    sum.bytes += each.bytes;
    sum.words += each.words;
    sum.links += each.links;
  }
  const auto pages = static_cast<double>(sum.pages);
  std::printf(
      "{\"pages\": %llu, \"bytes\": %llu, \"words\": %llu, \"links\": %llu, \"rate\": %.1f, \"cpu\": %.2f}\n",
      static_cast<unsigned long long>(sum.pages), static_cast<unsigned long long>(sum.bytes),
      static_cast<unsigned long long>(sum.words), static_cast<unsigned long long>(sum.links),
      pages / took.count(), cpu_seconds() / pages * 1e6);
}
