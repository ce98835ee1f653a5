#include "tests/model/actions.h"

#include "tests/model/shells.h"

namespace fantail::model {

namespace {

using Kind = Action::Kind;

// After so many every timer has fired.
constexpr std::uint32_t kIdleStepsMost = 40;

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
  return state.workers[worker_of(role)]->down_for;
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

bool may_cancel(const State& state) {
  const std::optional<Dispatcher>& dispatcher = state.ventilator->dispatcher;
  return state.budget.cancels > 0 && dispatcher && dispatcher->sink_reached() && !dispatcher->stopped();
}

class Actions {
 public:
  explicit Actions(const State& state) : state_(state) {}

  std::vector<Action> all() {
    if (must_commit(state_)) add_commit();
    if (may_go_on() && !state_.messages.empty()) add_delivery();
    if (may_go_on() && !state_.late.empty()) add_late();
    if (may_go_on()) add_settled();
    return std::move(actions_);
  }

 private:
  void add(Kind kind, std::size_t which = 0) { actions_.push_back({kind, static_cast<std::uint8_t>(which)}); }

  // Unless fine, one thing comes after the other: commits, messages, copies, all else.
  bool may_go_on() const { return state_.fine || actions_.empty(); }

  void add_commit() {
    add(Kind::kCommit);
    if (state_.budget.crashes == 0) return;
    add(Kind::kCommitAndDie);
    add(Kind::kCrash, static_cast<std::size_t>(Role::kSink));
  }

  void add_delivery() {
    const Message& message = state_.messages.front();
    add(Kind::kDeliver);
    if (state_.ventilator->exit_code) return;
    const Budget& budget = state_.budget;
    if (budget.losses > 0 && !message.event) add(Kind::kLose);
    if (budget.copies > 0 && !is_stream(message)) {
      add(Kind::kRepeat);
      add(Kind::kCopy);
    }
    const Role role = receiver_of(message.channel);
    add_crash(role);
    if (role == Role::kVentilator) add_cancel();
  }

  void add_late() {
    for (std::size_t index = 0; index < (state_.fine ? state_.late.size() : 1); ++index) {
      add(Kind::kDeliverLate, index);
      add_crash(receiver_of(state_.late[index].channel));
    }
  }

  void add_settled() {
    for (std::size_t role = 0; role < kRoles; ++role) {
      if (may_start(state_, static_cast<Role>(role))) add(Kind::kStart, role);
    }
    if (may_fire_timers(state_)) add(Kind::kTimers);
    if (state_.ventilator->exit_code) return;
    for (std::size_t worker = 0; worker < kWorkers; ++worker) {
      if (!state_.workers[worker]->jobs.empty()) add(Kind::kFinish, worker);
    }
    for (std::size_t role = 0; role < kRoles; ++role)
      add_crash(static_cast<Role>(role));
    add_cancel();
  }

  void add_crash(Role role) {
    if (state_.budget.crashes > 0 && state_.up(role)) add(Kind::kCrash, static_cast<std::size_t>(role));
  }

  void add_cancel() {
    if (!may_cancel(state_)) return;
    add(Kind::kCancel);
    add(Kind::kAbort);
  }

  const State& state_;
  std::vector<Action> actions_;
};

}  // namespace

std::vector<Action> actions_in(const State& state) {
  return Actions(state).all();
}

Action calm_action(const State& state) {
  if (must_commit(state)) return {Kind::kCommit, 0};
  if (!state.messages.empty()) return {Kind::kDeliver, 0};
  if (!state.late.empty()) return {Kind::kDeliverLate, 0};
  for (std::size_t role = 0; role < kRoles; ++role) {
    if (may_start(state, static_cast<Role>(role))) return {Kind::kStart, static_cast<std::uint8_t>(role)};
  }
  for (std::size_t worker = 0; worker < kWorkers && !state.ventilator->exit_code; ++worker) {
    if (!state.workers[worker]->jobs.empty()) return {Kind::kFinish, static_cast<std::uint8_t>(worker)};
  }
  return {Kind::kTimers, 0};
}

namespace {

// Steps in which nothing comes of the timers are passed over.
void fire_next_timers(State& state) {
  if (state.fine) return fire_timers(state);
  const std::uint64_t hash = state.hash();
  for (std::uint32_t step = 0; step < kIdleStepsMost; ++step) {
    State fired = state;
    fire_timers(fired);
    State settled = fired;
    while (must_commit(settled) || !settled.messages.empty() || !settled.late.empty())
      settled = after(settled, calm_action(settled));
    if (settled.hash() != hash) {
      state = std::move(fired);
      return;
    }
    if (!may_fire_timers(settled)) return;
    state = std::move(settled);
  }
}

}  // namespace

State after(const State& before, Action action) {
  State state = before;
  Message message;
  const auto take = [&message, &action](std::vector<Message>& from) {
    message = from[action.which];
    from.erase(from.begin() + action.which);
  };
  switch (action.kind) {
    case Kind::kDeliver:
      take(state.messages);
      deliver(state, message);
      break;
    case Kind::kLose:
      --state.budget.losses;
      take(state.messages);
      break;
    case Kind::kRepeat:
      --state.budget.copies;
      message = state.messages.front();
      state.messages.insert(state.messages.begin(), message);
      break;
    case Kind::kCopy:
      --state.budget.copies;
      state.late.push_back(state.messages.front());
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
      fire_next_timers(state);
      break;
  }
  // A copy for a worker's former incarnation never arrives.
  std::erase_if(state.late, [&state](const Message& copy) {
    if (copy.channel < Channel::kVentilatorToWorker) return false;
    const Role role = receiver_of(copy.channel);
    if (role == Role::kVentilator || role == Role::kSink) return false;
    const std::size_t worker = worker_of(role);
    return state.workers[worker]->life != copy.life || !state.up(role);
  });
  return state;
}

}  // namespace fantail::model
