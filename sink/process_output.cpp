#include "sink/process_output.h"

#include <algorithm>

#include "pipeline/app/file_descriptor.h"
#include "pipeline/exec_command.h"
#include "pipeline/number.h"
#include "sink/kinds/payload.h"
#include "sink/row.h"
#include "sink/writers/text.h"
#include "sink/writers/write_all.h"

namespace fantail {

namespace {

constexpr std::size_t kPendingMax = std::size_t{256} << 10;

std::string job_text(const Outcome& outcome, std::uint32_t arguments) {
  return "fantail: job " + std::to_string(outcome.job + 1) + " (" +
         escape_control(shown_arguments(outcome.input, arguments)) + ")";
}

}  // namespace

void ProcessOutput::show(const Outcome& outcome) {
  proto::ExecResult result;
  if (read_payload(outcome, result)) {
    show_stream(outcome, Stream::kOutput, result.stdout_head(), result.stdout_bytes());
    show_stream(outcome, Stream::kError, result.stderr_head(), result.stderr_bytes());
  } else if (outcome.status == Status::kFailed) {
    const std::string code = escape_control(outcome.error_code);
    const std::string message = escape_control(outcome.error_message);
    put(Stream::kError,
        job_text(outcome, options_.arguments) + ": " + code + (message.empty() ? "" : ": " + message) + "\n");
  }
}

void ProcessOutput::show_stream(const Outcome& outcome, Stream stream, std::string_view head,
                                std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::string tag =
      options_.tag ? shown_arguments(outcome.input, options_.arguments) + "\t" : std::string();
  in_line_ = false;
  put_lines(stream, tag, head);
  const std::uint64_t beyond = bytes - std::min<std::uint64_t>(bytes, head.size());
  const std::uint64_t given =
      rest_.read(outcome.job, stream, beyond, [&](std::string_view piece) { put_lines(stream, tag, piece); });
  if (given == beyond) return;
  put(Stream::kError, job_text(outcome, options_.arguments) + " wrote " +
                          format_items(bytes, "byte", "bytes") + " to its standard " +
                          (stream == Stream::kOutput ? "output" : "error") + ", and " +
                          format_count(beyond - given) + " of them are missing\n");
}

void ProcessOutput::put_lines(Stream stream, std::string_view tag, std::string_view bytes) {
  if (tag.empty()) return put(stream, bytes);
  while (!bytes.empty()) {
    const std::size_t newline = bytes.find('\n');
    const std::size_t length = newline == std::string_view::npos ? bytes.size() : newline + 1;
    if (!in_line_) put(stream, tag);
    put(stream, bytes.substr(0, length));
    in_line_ = newline == std::string_view::npos;
    bytes.remove_prefix(length);
  }
}

void ProcessOutput::put(Stream stream, std::string_view bytes) {
  if (bytes.empty()) return;
  if (chunks_.empty() || chunks_.back().stream != stream) chunks_.push_back({stream, {}});
  chunks_.back().bytes += bytes;
  pending_ += bytes.size();
  if (pending_ > kPendingMax) flush();
}

std::optional<std::string> ProcessOutput::flush() {
  if (!chunks_.empty() && options_.before_write) options_.before_write();
  for (const Chunk& chunk : chunks_) {
    const bool output = chunk.stream == Stream::kOutput;
    if (error_) break;
    const int error_number =
        write_all(output ? options_.standard_output : options_.standard_error, chunk.bytes);
    if (error_number != 0)
      error_ = std::string("cannot write standard ") + (output ? "output" : "error") + ": " +
               error_text(error_number);
  }
  chunks_.clear();
  pending_ = 0;
  return error_;
}

}  // namespace fantail
