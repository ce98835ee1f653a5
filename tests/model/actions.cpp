#include "tests/model/actions.h"

#include "tests/model/shells.h"

namespace fantail::model {

namespace {

using Kind = Action::Kind;

bool may_start(const State& state, Role role) {
  if (state.up(role)) return false;
  const VentilatorNode& ventilator = *state.ventilator;
  if (role == Role::kVentilator) return !ventilator.exit_code;
  // A sink that left is needed again where the ventilator does not know how the run ended.
  if (role == Role::kSink)
    return !state.sink->exit_code || (!ventilator.exit_code && !ventilator.spool.ended);
  return !ventilator.exit_code;
}

std::uint32_t down_for(const State& state, Role role) {
  if (role == Role::kVentilator) return state.ventilator->down_for;
  if (role == Role::kSink) return state.sink->down_for;
  return state.workers[static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker)]->down_for;
}

bool must_commit(const State& state) {
  return state.sink->collector && (state.sink->collector->has_uncommitted() || state.sink->ends);
}

// Messages are faster than timers, and commits: what is slower counts as a late copy.
bool may_fire_timers(const State& state) {
  if (!state.messages.empty() || must_commit(state)) return false;
  for (std::size_t index = 0; index < kRoles; ++index) {
    const Role role = static_cast<Role>(index);
    if (may_start(state, role) && down_for(state, role) >= kDownMost) return false;
  }
  return true;
}

bool is_stream(const Message& message) {
  return message.event || (message.channel >= Channel::kLane && message.channel < Channel::kResults);
}

void add_deliveries(const State& state, std::vector<Action>& actions) {
  std::array<bool, kChannels> behind{};
  const Budget& budget = state.budget;
  for (std::size_t index = 0; index < state.messages.size(); ++index) {
    const Message& message = state.messages[index];
    if (std::exchange(behind[static_cast<std::size_t>(message.channel)], true)) continue;
    if (index > 0 && !budget.any_order && budget.swaps == 0) break;
    const auto which = static_cast<std::uint8_t>(index);
    actions.push_back({Kind::kDeliver, which});
    if ((index > 0 && !budget.any_order) || state.ventilator->exit_code) continue;
    if (budget.losses > 0 && !message.event) actions.push_back({Kind::kLose, which});
    if (budget.late == 0 || is_stream(message)) continue;
    actions.push_back({Kind::kCopy, which});
    actions.push_back({Kind::kPostpone, which});
  }
}

// Crashes, what comes late, and people.
void add_faults(const State& state, std::vector<Action>& actions) {
  const auto add = [&actions](Kind kind, std::size_t which) {
    actions.push_back({kind, static_cast<std::uint8_t>(which)});
  };
  for (std::size_t index = 0; index < state.late.size(); ++index) {
    if (state.up(receiver_of(state.late[index].channel))) add(Kind::kDeliverLate, index);
  }
  for (std::size_t role = 0; role < kRoles && state.budget.crashes > 0; ++role) {
    if (state.up(static_cast<Role>(role))) add(Kind::kCrash, role);
  }
  const std::optional<Dispatcher>& dispatcher = state.ventilator->dispatcher;
  if (state.budget.cancels > 0 && dispatcher && dispatcher->sink_reached() && !dispatcher->stopped()) {
    add(Kind::kCancel, 0);
    add(Kind::kAbort, 0);
  }
}

}  // namespace

std::vector<Action> actions_in(const State& state) {
  std::vector<Action> actions;
  const auto add = [&actions](Kind kind, std::size_t which) {
    actions.push_back({kind, static_cast<std::uint8_t>(which)});
  };
  const bool commits = must_commit(state);
  // Once the ventilator has left, only the sink's own end is of interest.
  const bool left = state.ventilator->exit_code.has_value();
  if (commits) {
    add(Kind::kCommit, 0);
    if (state.budget.crashes > 0 && !left) {
      add(Kind::kCommitAndDie, 0);
      if (state.budget.coarse) add(Kind::kCrash, static_cast<std::size_t>(Role::kSink));
    }
    if (state.budget.coarse) return actions;
  }
  add_deliveries(state, actions);
  const bool settled = !state.budget.coarse || state.messages.empty();
  for (std::size_t role = 0; role < kRoles && settled; ++role) {
    if (may_start(state, static_cast<Role>(role))) add(Kind::kStart, role);
  }
  if (may_fire_timers(state)) add(Kind::kTimers, 0);
  if (left) return actions;
  for (std::size_t worker = 0; worker < kWorkers && settled; ++worker) {
    if (!state.workers[worker]->jobs.empty()) add(Kind::kFinish, worker);
  }
  add_faults(state, actions);
  return actions;
}

Action calm_action(const State& state) {
  if (must_commit(state)) return {Kind::kCommit, 0};
  if (!state.messages.empty()) return {Kind::kDeliver, 0};
  for (std::size_t role = 0; role < kRoles; ++role) {
    if (may_start(state, static_cast<Role>(role))) return {Kind::kStart, static_cast<std::uint8_t>(role)};
  }
  for (std::size_t worker = 0; worker < kWorkers && !state.ventilator->exit_code; ++worker) {
    if (!state.workers[worker]->jobs.empty()) return {Kind::kFinish, static_cast<std::uint8_t>(worker)};
  }
  return {Kind::kTimers, 0};
}

State after(const State& before, Action action) {
  State state = before;
  Message message;
  const auto take = [&message, &action](std::vector<Message>& from) {
    message = from[action.which];
    from.erase(from.begin() + action.which);
  };
  switch (action.kind) {
    case Kind::kDeliver:
      if (action.which > 0 && !state.budget.any_order) --state.budget.swaps;
      take(state.messages);
      deliver(state, message);
      break;
    case Kind::kLose:
      --state.budget.losses;
      take(state.messages);
      break;
    case Kind::kCopy:
    case Kind::kPostpone:
      --state.budget.late;
      take(state.messages);
      state.late.push_back(message);
      if (action.kind == Kind::kCopy) deliver(state, message);
      break;
    case Kind::kDeliverLate:
      take(state.late);
      deliver(state, message);
      break;
    case Kind::kFinish:
      finish_job(state, action.which);
      break;
    case Kind::kCommit:
      commit(state, false);
      break;
    case Kind::kCommitAndDie:
      --state.budget.crashes;
      commit(state, true);
      break;
    case Kind::kCrash:
      --state.budget.crashes;
      crash(state, static_cast<Role>(action.which));
      break;
    case Kind::kStart:
      start(state, static_cast<Role>(action.which));
      break;
    case Kind::kCancel:
    case Kind::kAbort:
      --state.budget.cancels;
      cancel(state, action.kind == Kind::kCancel ? proto::STOP_QUEUED : proto::STOP_RUNNING);
      break;
    case Kind::kTimers:
      fire_timers(state);
      break;
  }
  // A copy for a worker's former incarnation never arrives.
  std::erase_if(state.late, [&state](const Message& copy) {
    if (copy.channel < Channel::kVentilatorToWorker) return false;
    const Role role = receiver_of(copy.channel);
    if (role == Role::kVentilator || role == Role::kSink) return false;
    const std::size_t worker = static_cast<std::size_t>(role) - static_cast<std::size_t>(Role::kWorker);
    return state.workers[worker]->life != copy.life || !state.up(role);
  });
  return state;
}

}  // namespace fantail::model
