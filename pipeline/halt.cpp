#include "pipeline/halt.h"

#include <algorithm>
#include <charconv>

namespace fantail {

namespace {

struct Word {
  std::string_view text;
  proto::Halt::What what;
};
constexpr Word kWords[] = {
    {"fail", proto::Halt::FAILED}, {"success", proto::Halt::OK}, {"done", proto::Halt::DONE}};

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size() || count == 0) return std::nullopt;
  return count;
}

}  // namespace

std::optional<proto::Halt> parse_halt(std::string_view text) {
  proto::Halt halt;
  if (take_prefix(text, "now,")) {
    halt.set_level(proto::STOP_RUNNING);
  } else if (take_prefix(text, "soon,")) {
    halt.set_level(proto::STOP_QUEUED);
  } else {
    return std::nullopt;
  }
  for (const Word& word : kWords) {
    if (!take_prefix(text, word.text)) continue;
    halt.set_what(word.what);
    break;
  }
  if (halt.what() == proto::Halt::WHAT_UNSPECIFIED || !take_prefix(text, "=")) return std::nullopt;
  const bool is_share = text.ends_with('%');
  if (is_share) text.remove_suffix(1);
  const std::optional<std::uint64_t> count = parse_count(text);
  if (!count || (is_share && *count > 100)) return std::nullopt;
  if (is_share) {
    halt.set_percent(static_cast<std::uint32_t>(*count));
  } else {
    halt.set_jobs(*count);
  }
  return halt;
}

std::string format_halt(const proto::Halt& halt) {
  std::string text = halt.level() == proto::STOP_RUNNING ? "now," : "soon,";
  for (const Word& word : kWords) {
    if (word.what == halt.what()) text += word.text;
  }
  return text + "=" +
         (halt.percent() > 0 ? std::to_string(halt.percent()) + "%" : std::to_string(halt.jobs()));
}

std::optional<std::uint64_t> jobs_to_halt(const proto::Halt& halt, std::optional<std::uint64_t> total) {
  if (halt.what() == proto::Halt::WHAT_UNSPECIFIED) return std::nullopt;
  if (halt.percent() == 0) return std::max<std::uint64_t>(halt.jobs(), 1);
  if (!total) return std::nullopt;
  // Rounded up, without overflow.
  const std::uint64_t percent = halt.percent();
  return std::max<std::uint64_t>(*total / 100 * percent + (*total % 100 * percent + 99) / 100, 1);
}

}  // namespace fantail
