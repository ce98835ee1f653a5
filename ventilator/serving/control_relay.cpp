#include "ventilator/serving/control_relay.h"

namespace fantail {

void ControlRelay::ask(const std::string& run_id, const Endpoint& ventilator, std::string_view question,
                       const std::string& asker) {
  auto link = links_.find(run_id);
  if (link == links_.end() || link->second.ventilator != ventilator) {
    forget(run_id);
    link = links_.emplace(run_id, Link{Socket(context_, SocketType::kDealer), ventilator}).first;
    link->second.socket.connect(ventilator);
  }
  link->second.asker = asker;
  link->second.socket.send(question);
}

void ControlRelay::relay_answers(Socket& askers) {
  Frame frame;
  for (auto& [run_id, link] : links_) {
    while (link.socket.receive(frame))
      askers.send_to(link.asker, frame.bytes());
  }
}

void ControlRelay::add_to(Poller& poller) {
  for (auto& [run_id, link] : links_)
    poller.add(link.socket);
}

}  // namespace fantail
