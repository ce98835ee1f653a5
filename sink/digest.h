// The digest of a run: a 128-bit sum modulo 2^128 of one XXH3 hash per outcome, so the order of arrival does
// not matter and the digests of two parts of a run add up. The byte layout that is hashed is in
// docs/REPORT.md; examples/digest.py recomputes it from rows. Knows no kind: kinds say which of their fields
// do not depend on time.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sink/outcome.h"
#include "sink/row.h"

namespace fantail {

struct Digest {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  void add(XXH128_hash_t hash);
  std::string hex() const;  // 32 lower-case digits, high half first
  static std::optional<Digest> from_hex(std::string_view text);
  bool operator==(const Digest&) const = default;
};

// Encodes one outcome and hashes it: begin, then the fields in order, then hash. The buffer is kept between
// outcomes, so that a stream of them allocates nothing.
class OutcomeHasher {
 public:
  void begin(std::uint64_t job, Status status);
  void add_null();
  void add_bool(bool value);
  void add_integer(std::uint64_t value);
  void add_string(std::string_view bytes);
  void add_hex(std::string_view bytes);  // as a string of lower-case hexadecimal digits
  void begin_list(std::size_t size);     // as many add_to_list follow
  void add_to_list(std::string_view bytes) { append_counted(bytes); }
  void add_list(std::span<const std::string> strings);
  void add_field(const FieldValue& value);  // any of the above, by the value's type
  XXH128_hash_t hash() const;
  std::string_view encoded() const { return buffer_; }  // what hash() covers

 private:
  void append_u64(std::uint64_t value);
  void append_counted(std::string_view bytes);

  std::string buffer_;
};

}  // namespace fantail
