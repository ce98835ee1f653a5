#pragma once

#include <string>
#include <vector>

#include "worker/html/string_list.h"

namespace fantail {

inline std::vector<std::string> strings(const StringList& list) {
  std::vector<std::string> all;
  for (std::size_t i = 0; i < list.size(); ++i)
    all.emplace_back(list[i]);
  return all;
}

}  // namespace fantail
