// JSON on one line: what a function is given, and what it answered. Never has a line break. Numbers keep the
// digits that they were written with.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fantail {

// The value without white space between its parts. Empty: the text is no JSON, not UTF-8, or has a number
// that no double can hold. However deep it is nested, no stack grows with it.
std::optional<std::string> compact_json(std::string_view text);

// The text as a JSON string. Empty: it is not UTF-8.
std::optional<std::string> json_string(std::string_view text);

// A job's input as its function gets it. An argument that is JSON is that value, any other text is a string;
// with strings, every one is. Several arguments, with tabs between them, are an array. Empty: one is not
// UTF-8.
std::optional<std::string> json_of_input(std::string_view input, std::uint32_t arguments, bool strings);

}  // namespace fantail
