// Reads the scalars at some places of a JSON document in one pass, without a tree: numbers keep the very
// characters they were written in. Any bytes are fine; memory is bounded by the longest string of the text.
// Sources: RFC 8259 (JSON), RFC 6901 (pointers).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fantail {

struct JsonField {
  enum class Type { kMissing, kNull, kBoolean, kNumber, kString, kContainer };

  Type type = Type::kMissing;
  std::string text;  // the number's characters, the string's content, "true" or "false"
};

struct JsonError {
  std::string message;  // one sentence
  std::optional<std::size_t>
      out_of_range_field;  // when that is the cause: a field whose number no double holds
};

// One field per pointer, in the same order; an empty pointer's field is missing. Of equal keys in an object
// the first counts. Documents nested deeper than 64 levels are an error.
std::variant<std::vector<JsonField>, JsonError> read_json_fields(std::string_view json,
                                                                 std::span<const std::string_view> pointers);

}  // namespace fantail
