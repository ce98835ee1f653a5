// The path of a URL while it is parsed: segments are appended and taken away at its end.
// Kept in serialized form ("/a/b"): no segment contains a slash, so the list and the string say the same.
// Source: https://url.spec.whatwg.org/#url-path-segment
#pragma once

#include <string>
#include <string_view>

namespace fantail {

// "c:" or "c|"
bool is_windows_drive_letter(std::string_view text);

// A drive letter that ends here or at / \ ? #
bool starts_with_windows_drive_letter(std::string_view text);

// "/c:" if this is the first segment of the path of a file URL, else "".
std::string_view leading_drive(std::string_view path);

// Appends an already percent-encoded segment, or applies it if it is "." or ".." in any spelling.
// The last segment of a path leaves an empty segment behind when it is one of the dots: "/a/.." is "/".
void append_segment(std::string& path, std::string segment, bool is_file, bool is_last);

// Removes the last segment, except a lone drive letter of a file URL.
void remove_last_segment(std::string& path, bool is_file);

}  // namespace fantail
