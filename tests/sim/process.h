// A process on the virtual clock: it takes turns of its shell's loop, may be paused, killed and started
// again. Killing only marks it dead: it may happen below a decider's own call, so the decider goes when the
// next life begins.
#pragma once

#include <cstdint>

#include "pipeline/instant.h"

namespace fantail::sim {

class World;

class Process {
 public:
  Process(World& world) : world_(world) {}
  virtual ~Process() = default;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool alive() const { return alive_; }
  bool alive(std::uint64_t life) const { return alive_ && life == life_; }
  bool paused() const { return paused_; }
  Instant paused_until() const { return paused_until_; }
  std::uint64_t life() const { return life_; }
  bool exited() const { return exited_; }

  void launch();
  void kill();
  void pause(Duration duration);
  void wake();  // there is input

 protected:
  static constexpr int kMessagesPerTurn = 256;  // of each kind, as in the shells

  virtual void begin() = 0;
  virtual void die() = 0;
  virtual Instant turn() = 0;  // returns when the next one is due
  void schedule(Instant at);
  void exit();

  World& world_;

 private:
  bool alive_ = false;
  bool paused_ = false;
  bool exited_ = false;
  bool scheduled_ = false;
  Instant next_turn_{};
  Instant paused_until_{};
  std::uint64_t ticket_ = 0;
  std::uint64_t life_ = 0;
};

}  // namespace fantail::sim
