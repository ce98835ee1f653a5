#include "worker/child/captured_stream.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "worker/child/spawn.h"

namespace fantail {

namespace {

// Of a child that writes much: fewer and larger reads.
constexpr int kPipeBytes = 256 << 10;

}  // namespace

FileDescriptor CapturedStream::begin(OutputChannel* rest) {
  rest_ = rest;
  head_.clear();
  piece_.clear();
  bytes_ = 0;
  piece_offset_ = kHeadBytes;
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {};
  pipe_ = FileDescriptor(ends[0]);
  return above_standard(FileDescriptor(ends[1]));
}

bool CapturedStream::has_room() const {
  const bool fills_a_piece = piece_.size() + kHeadBytes >= kPieceBytesMax;
  return ended() || rest_ == nullptr || !fills_a_piece || rest_->has_room();
}

void CapturedStream::read_some(std::span<char> buffer) {
  const ssize_t got = ::read(pipe_.get(), buffer.data(), std::min(buffer.size(), kHeadBytes));
  if (got > 0) {
    take({buffer.data(), static_cast<std::size_t>(got)});
  } else if (got == 0 || errno != EINTR) {
    end();
  }
}

void CapturedStream::take(std::string_view bytes) {
  const std::string_view head = bytes.substr(0, kHeadBytes - head_.size());
  head_.append(head);
  bytes_ += bytes.size();
  bytes.remove_prefix(head.size());
  if (bytes.empty()) return;
  if (bytes_ - bytes.size() == kHeadBytes) ::fcntl(pipe_.get(), F_SETPIPE_SZ, kPipeBytes);
  if (rest_ == nullptr) return;
  const std::string_view fits = bytes.substr(0, kPieceBytesMax - piece_.size());
  piece_.append(fits);
  if (piece_.size() == kPieceBytesMax) send_piece();
  piece_.append(bytes.substr(fits.size()));
}

void CapturedStream::send_piece() {
  proto::JobOutput piece;
  piece.set_to_stderr(is_stderr_);
  piece.set_offset(piece_offset_);
  piece_offset_ += piece_.size();
  piece.set_data(std::move(piece_));
  piece_.clear();
  rest_->send(std::move(piece));
}

void CapturedStream::drop_rest() {
  send_rest();
  rest_ = nullptr;
}

void CapturedStream::send_rest() {
  if (rest_ != nullptr && !piece_.empty()) send_piece();
}

}  // namespace fantail
