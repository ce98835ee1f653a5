#include <algorithm>
#include <cassert>

#include "pipeline/url/ascii.h"
#include "pipeline/url/ip_address.h"

namespace fantail {
namespace {

// Reads the pieces from left to right; "::" is remembered as a place and filled with zeros at the end.
class Ipv6Reader {
 public:
  explicit Ipv6Reader(std::string_view text) : rest_(text) {}

  std::optional<Ipv6Pieces> read() {
    if (rest_.starts_with(':') && !rest_.starts_with("::")) return std::nullopt;
    if (rest_.starts_with("::")) {
      rest_.remove_prefix(1);
      if (!read_gap()) return std::nullopt;
    }
    while (!rest_.empty()) {
      const bool read_ok = rest_.front() == ':' ? read_gap() : read_piece();
      if (!read_ok) return std::nullopt;
    }
    return finish();
  }

 private:
  // The second colon of "::". The gap stands for at least one piece of zeros.
  bool read_gap() {
    if (count_ == pieces_.size() || gap_) return false;
    rest_.remove_prefix(1);
    ++count_;
    gap_ = count_;
    return true;
  }

  // Up to four hexadecimal digits and one colon, or the dotted end.
  bool read_piece() {
    if (count_ == pieces_.size()) return false;
    unsigned value = 0;
    std::size_t length = 0;
    while (length < 4 && length < rest_.size() && ascii_hex_value(rest_[length]) >= 0) {
      value = value * 16 + static_cast<unsigned>(ascii_hex_value(rest_[length]));
      ++length;
    }
    if (length < rest_.size() && rest_[length] == '.') return length > 0 && read_dotted_end();
    rest_.remove_prefix(length);
    if (!rest_.empty()) {
      if (rest_.front() != ':' || rest_.size() == 1) return false;
      rest_.remove_prefix(1);
    }
    pieces_[count_++] = static_cast<std::uint16_t>(value);
    return true;
  }

  // Four decimal numbers without leading zeros: the last two pieces.
  bool read_dotted_end() {
    if (count_ > 6) return false;
    unsigned address[4] = {};
    for (std::size_t i = 0; i < 4; ++i) {
      const std::size_t dot = i < 3 ? rest_.find('.') : rest_.size();
      if (dot == std::string_view::npos) return false;
      const std::string_view number = rest_.substr(0, dot);
      if (number.empty() || number.size() > 3 || (number.size() > 1 && number.front() == '0')) return false;
      if (!std::all_of(number.begin(), number.end(), is_ascii_digit)) return false;
      for (const char c : number)
        address[i] = address[i] * 10 + static_cast<unsigned>(c - '0');
      if (address[i] > 255) return false;
      rest_.remove_prefix(i < 3 ? dot + 1 : dot);
    }
    pieces_[count_++] = static_cast<std::uint16_t>(address[0] * 256 + address[1]);
    pieces_[count_++] = static_cast<std::uint16_t>(address[2] * 256 + address[3]);
    return true;
  }

  std::optional<Ipv6Pieces> finish() {
    assert(count_ <= pieces_.size());
    if (!gap_ && count_ != pieces_.size()) return std::nullopt;
    if (gap_) {
      const auto begin = pieces_.begin() + static_cast<std::ptrdiff_t>(*gap_);
      std::rotate(begin, pieces_.begin() + static_cast<std::ptrdiff_t>(count_), pieces_.end());
    }
    return pieces_;
  }

  std::string_view rest_;
  Ipv6Pieces pieces_{};
  std::size_t count_ = 0;           // pieces read, the gap counted as one
  std::optional<std::size_t> gap_;  // index of the first piece after the gap
};

struct ZeroRun {
  std::size_t begin = 0;
  std::size_t length = 0;
};

// The first longest run of at least two zero pieces; length 0 if there is none.
ZeroRun longest_zero_run(const Ipv6Pieces& pieces) {
  ZeroRun longest;
  ZeroRun current;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (pieces[i] != 0) {
      current = {i + 1, 0};
    } else if (++current.length > std::max<std::size_t>(longest.length, 1)) {
      longest = current;
    }
  }
  return longest;
}

std::string to_hexadecimal(unsigned value) {
  std::string digits;
  do {
    digits.insert(digits.begin(), "0123456789abcdef"[value % 16]);
    value /= 16;
  } while (value != 0);
  return digits;
}

}  // namespace

std::optional<Ipv6Pieces> parse_ipv6(std::string_view text) {
  return Ipv6Reader(text).read();
}

std::string serialize_ipv6(const Ipv6Pieces& pieces) {
  const ZeroRun run = longest_zero_run(pieces);
  std::string out;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    if (run.length > 0 && i == run.begin) {
      out += i == 0 ? "::" : ":";
      i += run.length - 1;
      continue;
    }
    out += to_hexadecimal(pieces[i]);
    if (i + 1 < pieces.size()) out += ':';
  }
  return out;
}

}  // namespace fantail
