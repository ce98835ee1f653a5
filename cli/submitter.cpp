#include "cli/submitter.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <iostream>

#include "pipeline/app/command_line.h"
#include "pipeline/ulid.h"
#include "ventilator/sources/submitted.h"
#include "worker/worker.h"

namespace fantail {

namespace {

constexpr const char* kProgram = "fantail submit";
constexpr Duration kSayFirst = std::chrono::milliseconds(500);
constexpr Duration kSayEvery = std::chrono::seconds(1);
constexpr Duration kAskSinkEvery = std::chrono::milliseconds(100);
constexpr Duration kAskSinkAgain = std::chrono::seconds(1);  // what was not answered
constexpr Duration kFlushEvery = std::chrono::milliseconds(10);
constexpr Duration kSilentFor = std::chrono::seconds(3);
constexpr Duration kTellEvery = std::chrono::seconds(10);
constexpr Duration kSinkAwayMax = std::chrono::seconds(10);
constexpr int kLeavingLingerMs = 500;
constexpr std::size_t kWindow = std::size_t{4} << 20;
constexpr std::size_t kChunk = std::size_t{64} << 10;
constexpr std::size_t kPendingMax = std::size_t{1} << 20;
// A pipe that says it has room takes so much at once without blocking.
constexpr std::size_t kWriteAtOnce = 4096;

}  // namespace

void Submitter::Stream::take(std::uint64_t offset, const std::string& data) {
  if (offset != received) return;  // an answer that came twice
  received += data.size();
  if (!broken) pending += data;
}

void Submitter::Stream::flush() {
  while (written < pending.size()) {
    pollfd room{descriptor, POLLOUT, 0};
    if (::poll(&room, 1, 0) != 1) break;
    const ssize_t count =
        ::write(descriptor, pending.data() + written, std::min(kWriteAtOnce, pending.size() - written));
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) break;
    broken = broken || count < 0;
    if (broken) written = pending.size();
    if (count > 0) written += static_cast<std::size_t>(count);
  }
  if (written < pending.size()) return;
  pending.clear();
  written = 0;
}

Submitter::Submitter(const SubmitOptions& options, proto::SubmittedRun run, std::unique_ptr<Source> source)
    : options_(options),
      run_(std::move(run)),
      run_id_(new_ulid()),
      run_text_(ulid_text(run_id_)),
      control_(context_, SocketType::kDealer) {
  if (source) reader_ = std::make_unique<InputReader>(std::move(source));
}

bool Submitter::reads_inputs() const {
  return reader_ && !end_ && !over_ && stream_.size() - begin_ < kWindow;
}

int Submitter::run(Signals& signals) {
  control_.connect(options_.ventilator);
  started_ = heard_ = steady_now();
  while (!exit_code_) {
    Instant now = steady_now();
    if (now >= say_at_) say(now);
    ask_sink(now);
    Poller poller;
    poller.add(control_);
    if (sink_) poller.add(*sink_);
    poller.add(signals.descriptor());
    if (reads_inputs()) poller.add(reader_->descriptor());
    poller.wait_until(next_wake(now));
    now = steady_now();
    while (const auto signal = signals.next())
      on_signal(*signal);
    read_inputs();
    receive(now);
    receive_sink(now);
    send_inputs(now);
    flush_output();
    tell_what_it_waits_for(now);
    if (over_ && sink_ended_ && output_.empty() && errors_.empty()) finish();
  }
  leave();
  return output_.broken ? kExitInfrastructure : *exit_code_;
}

void Submitter::finish() {
  const int code = static_cast<int>(over_->exit_code());
  const bool told = output_.received > 0 || errors_.received > 0;
  if (code == kExitNoPeer && !told)
    return end(code, "no worker came in time: start one with `fantail worker --ventilator " +
                         options_.ventilator.text() + "`");
  if ((code == kExitUsage || code == kExitInfrastructure) && !told)
    return end(code, "the run's ventilator or sink could not go on: the logs of those that serve say why");
  exit_code_ = code;
}

Instant Submitter::next_wake(Instant now) const {
  Instant wake = std::min(say_at_, now + kSayEvery);
  if (may_ask_sink()) wake = std::min(wake, std::max(ask_sink_at_, now));
  if (!output_.empty() || !errors_.empty()) wake = std::min(wake, now + kFlushEvery);
  return wake;
}

void Submitter::read_inputs() {
  while (reads_inputs()) {
    const auto batch = reader_->next();
    if (!batch) return;
    for (const std::string& input : batch->inputs)
      append_submitted(input, stream_);
    if (!batch->end) continue;
    end_.emplace();
    end_->set_bytes(read_so_far());
    end_->set_skipped(batch->skipped);
    end_->mutable_longest()->Assign(batch->longest.begin(), batch->longest.end());
    if (batch->error) end_->set_error(*batch->error);
    say_at_ = Instant{};
  }
}

// As far as the window goes, and once more what seems to be lost.
void Submitter::send_inputs(Instant now) {
  if (!accepted_ || over_) return;
  if (sent_ > acknowledged_ && now >= progressed_ + kSayEvery) {
    sent_ = acknowledged_;
    progressed_ = now;
  }
  while (sent_ < read_so_far() && sent_ - acknowledged_ < kWindow)
    say(now);
}

void Submitter::say(Instant now) {
  say_at_ = now + (accepted_ ? kSayEvery : kSayFirst);
  proto::WorkerToVentilator message;
  message.set_worker_id(run_id_);
  proto::Submission& submission = *message.mutable_submission();
  submission.set_run_id(run_id_);
  submission.set_interrupts(interrupts_);
  if (!accepted_) *submission.mutable_run() = run_;
  if (accepted_ && !over_) {
    const std::size_t at = begin_ + static_cast<std::size_t>(sent_ - acknowledged_);
    submission.set_offset(sent_);
    submission.set_inputs(stream_.substr(at, kChunk));
    sent_ += submission.inputs().size();
    if (end_ && sent_ == end_->bytes()) *submission.mutable_end() = *end_;
  }
  control_.send(message.SerializeAsString());
}

void Submitter::receive(Instant now) {
  Frame frame;
  proto::VentilatorToWorker message;
  while (control_.receive(frame)) {
    if (!message.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size()))) continue;
    if (message.has_submission() && message.submission().run_id() == run_id_) {
      on_state(message.submission(), now);
    } else if (!message.has_submission() && !accepted_) {
      return end(kExitUsage,
                 "the ventilator at " + options_.ventilator.text() +
                     " has a run of its own: start one with `fantail ventilator --serve --bind … --sink …`");
    }
  }
}

void Submitter::on_state(const proto::SubmissionState& state, Instant now) {
  heard_ = now;
  if (!state.refusal().empty() && !state.over())
    return end(accepted_ ? kExitInfrastructure : kExitUsage, state.refusal());
  if (!accepted_) {
    accepted_ = true;
    progressed_ = now;
    if (!options_.quiet) std::cerr << kProgram << ": run " << run_text_ << std::endl;
  }
  if (state.waits_behind() > 0 && !told_place_ && !options_.quiet) {
    told_place_ = true;
    std::cerr << kProgram << ": it waits for its turn, behind " << state.waits_behind() << " others"
              << std::endl;
  }
  if (state.received() > acknowledged_ && state.received() <= read_so_far()) {
    begin_ += static_cast<std::size_t>(state.received() - acknowledged_);
    acknowledged_ = state.received();
    sent_ = std::max(sent_, acknowledged_);
    progressed_ = now;
    if (begin_ > kWindow / 2 || begin_ == stream_.size()) {
      stream_.erase(0, begin_);
      begin_ = 0;
    }
  }
  if (!state.over() && state.received() < acknowledged_)
    return end(kExitInfrastructure,
               "the ventilator has lost inputs that it had received: submit the run anew");
  connect_sink(state);
  if (!state.over() || over_) return;
  over_ = state;
  over_at_ = sink_heard_ = now;
  ask_sink_at_ = now;
  if (!state.refusal().empty()) end(static_cast<int>(state.exit_code()), state.refusal());
}

void Submitter::connect_sink(const proto::SubmissionState& state) {
  const auto named = parse_endpoint(state.sink_endpoint());
  if (sink_ || !named) return;
  const auto seen = sink_as_seen_from(options_.ventilator, *named, state.sink_tcp_port());
  if (!seen) return;
  if (const std::string refusal = refuse_insecure(*seen, options_.insecure); !refusal.empty())
    return end(kExitUsage, "the sink at " + refusal);
  sink_endpoint_ = seen;
  sink_.emplace(context_, SocketType::kDealer);
  sink_->connect(*seen);
}

// Not for more than is soon written: who reads slowly makes nothing grow.
bool Submitter::may_ask_sink() const {
  return sink_ && !sink_ended_ && output_.pending.size() <= kPendingMax &&
         errors_.pending.size() <= kPendingMax;
}

void Submitter::ask_sink(Instant now) {
  if (over_ && !sink_ended_ && now >= sink_heard_ + kSinkAwayMax) {
    return end(static_cast<int>(over_->exit_code()),
               "no answer from the sink" +
                   (sink_endpoint_ ? " at " + sink_endpoint_->text() : std::string()) +
                   ": `fantail results " + run_text_ + "` on its machine has the rows");
  }
  if (!may_ask_sink() || now < ask_sink_at_) return;
  ask_sink_at_ = now + kAskSinkAgain;
  proto::ToSink message;
  message.mutable_serving()->set_run_id(run_id_);
  message.mutable_serving()->mutable_read()->set_stdout_offset(output_.received);
  message.mutable_serving()->mutable_read()->set_stderr_offset(errors_.received);
  sink_->send(message.SerializeAsString());
}

void Submitter::receive_sink(Instant now) {
  Frame frame;
  proto::FromServingSink answer;
  while (sink_ && sink_->receive(frame)) {
    if (!answer.ParseFromArray(frame.bytes().data(), static_cast<int>(frame.bytes().size())) ||
        !answer.has_piece())
      continue;
    sink_heard_ = now;
    const proto::RunOutputPiece& piece = answer.piece();
    output_.take(piece.stdout_offset(), piece.stdout_data());
    errors_.take(piece.stderr_offset(), piece.stderr_data());
    const bool nothing = piece.stdout_data().empty() && piece.stderr_data().empty();
    ask_sink_at_ = nothing ? now + kAskSinkEvery : now;
    sink_ended_ = over_ && answer.ended() && nothing;
  }
}

void Submitter::on_signal(int signal) {
  if (signal == SIGTERM)
    return end(kExitSuspended,
               "leaves run " + run_text_ +
                   (end_ || !reader_ ? ", which goes on" : ", which ends: not all of its inputs were sent"));
  if (signal != SIGINT) return;
  ++interrupts_;
  say_at_ = Instant{};
  const bool away = steady_now() >= heard_ + kSilentFor;
  if (interrupts_ > 2 || !accepted_ || away)
    return end(130, !accepted_ ? "interrupted before the run was submitted"
                               : "leaves run " + run_text_ + ", which may go on");
  std::cerr << kProgram << ": "
            << (interrupts_ == 1 ? "interrupted: running jobs finish; interrupt again to cancel them"
                                 : "interrupted again: running jobs are cancelled")
            << std::endl;
}

void Submitter::flush_output() {
  const bool was_broken = output_.broken;
  // Rows first: the summary comes after them.
  output_.flush();
  if (output_.empty() || !errors_.empty()) errors_.flush();
  if (!output_.broken || was_broken) return;
  std::cerr << kProgram << ": cannot write standard output: the run is cancelled" << std::endl;
  interrupts_ = std::max(interrupts_, 2U);
  say_at_ = Instant{};
}

void Submitter::tell_what_it_waits_for(Instant now) {
  if (!accepted_ && now >= started_ + options_.wait) {
    return end(kExitNoPeer, "no ventilator answers at " + options_.ventilator.text() +
                                ": start it there with `fantail ventilator --serve --bind " +
                                options_.ventilator.text() + " --sink …`, or correct --ventilator");
  }
  if (over_ || now < heard_ + kSilentFor || now < told_at_ + kTellEvery) return;
  told_at_ = now;
  std::cerr << kProgram << ": waiting for the ventilator at " << options_.ventilator.text()
            << ": start it there with `fantail ventilator --serve --bind … --sink …`" << std::endl;
}

void Submitter::end(int code, const std::string& sentence) {
  if (exit_code_) return;
  std::cerr << kProgram << ": " << sentence << std::endl;
  exit_code_ = code;
}

void Submitter::leave() {
  if (!over_) return;
  proto::WorkerToVentilator message;
  message.set_worker_id(run_id_);
  message.mutable_submission()->set_run_id(run_id_);
  message.mutable_submission()->set_leaving(true);
  control_.send(message.SerializeAsString());
  control_.raw().set(zmq::sockopt::linger, kLeavingLingerMs);
  if (!sink_ || !sink_ended_) return;
  proto::ToSink forget;
  forget.mutable_serving()->set_run_id(run_id_);
  forget.mutable_serving()->mutable_forget();
  sink_->send(forget.SerializeAsString());
  sink_->raw().set(zmq::sockopt::linger, kLeavingLingerMs);
}

}  // namespace fantail
