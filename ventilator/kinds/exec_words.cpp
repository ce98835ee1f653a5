#include "ventilator/kinds/exec_words.h"

#include <algorithm>
#include <optional>

namespace fantail {

namespace {

struct Separator {
  const char* text;
  bool files;
  bool linked;
};

constexpr Separator kSeparators[] = {
    {":::", false, false}, {":::+", false, true}, {"::::", true, false}, {"::::+", true, true}};

const Separator* separator_of(const std::string& word) {
  const auto* found = std::find_if(std::begin(kSeparators), std::end(kSeparators),
                                   [&word](const Separator& each) { return word == each.text; });
  return found == std::end(kSeparators) ? nullptr : found;
}

bool reads_standard_input(const ArgumentList& list) {
  return list.path == "-";
}

// What is wrong with the words of one separator.
std::optional<std::string> check(const Separator& separator, std::size_t words, bool first) {
  if (separator.linked && first)
    return std::string(separator.text) + " is linked to the arguments before it, and there are none: write " +
           (separator.files ? "::::" : ":::");
  if (separator.files && words == 0)
    return std::string(separator.text) +
           " names no file of arguments: write it behind, or - for standard input";
  return std::nullopt;
}

}  // namespace

std::variant<ExecWords, std::string> read_exec_words(const std::vector<std::string>& words,
                                                     const std::vector<std::string>& input_files) {
  ExecWords read;
  for (const std::string& file : input_files)
    read.lists.push_back({.words = {}, .path = file, .flag = "--input"});
  auto word = std::find_if(words.begin(), words.end(), separator_of);
  read.command.assign(words.begin(), word);
  while (word != words.end()) {
    const Separator& separator = *separator_of(*word++);
    const auto end = std::find_if(word, words.end(), separator_of);
    if (auto error = check(separator, static_cast<std::size_t>(end - word), read.lists.empty()))
      return *error;
    if (!separator.files)
      read.lists.push_back(
          {.words = {word, end}, .path = {}, .flag = separator.text, .linked = separator.linked});
    for (; separator.files && word != end; ++word)
      read.lists.push_back({.words = {}, .path = *word, .flag = separator.text, .linked = separator.linked});
    word = end;
  }
  if (std::count_if(read.lists.begin(), read.lists.end(), reads_standard_input) > 1)
    return "standard input can be one source of arguments: give the others by ::: or as files";
  return read;
}

}  // namespace fantail
