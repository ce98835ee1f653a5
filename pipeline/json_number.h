// What the JSON library hands over of a number that no integer holds.
#pragma once

#include <string>
#include <string_view>

namespace fantail {

// The number as it was written: the library writes the C locale's decimal point into it.
inline std::string json_number_text(std::string token) {
  for (char& c : token)
    if (std::string_view("0123456789+-eE").find(c) == std::string_view::npos) c = '.';
  return token;
}

}  // namespace fantail
