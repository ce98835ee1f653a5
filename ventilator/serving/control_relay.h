// Passes what people ask of a run on to the run's own ventilator, and its answer back to whoever asked last.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "pipeline/net/poller.h"
#include "pipeline/net/socket.h"

namespace fantail {

class ControlRelay {
 public:
  explicit ControlRelay(SocketContext& context) : context_(context) {}

  void ask(const std::string& run_id, const Endpoint& ventilator, std::string_view question,
           const std::string& asker);
  void relay_answers(Socket& askers);
  void forget(const std::string& run_id) { links_.erase(run_id); }
  void add_to(Poller& poller);

 private:
  struct Link {
    Socket socket;
    Endpoint ventilator;
    std::string asker{};
  };

  SocketContext& context_;
  std::map<std::string, Link> links_;  // by run id
};

}  // namespace fantail
