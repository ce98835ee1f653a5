#include "pipeline/exec_command.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace fantail {

namespace {

constexpr char kSeparator = '\t';
constexpr std::string_view kShell = "/bin/sh";

enum class Part { kWhole, kStem, kName, kFolder, kNameStem, kNumber, kSlot };

struct Replacement {
  Part part = Part::kWhole;
  std::int64_t position = 0;  // from 1, or from -1 backwards; 0: every argument
  std::size_t length = 0;     // in the template, with the braces
};

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string_view stem_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (dot == std::string_view::npos || path.find('/', dot) != std::string_view::npos) return path;
  return path.substr(0, dot);
}

std::string_view without_slashes(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/'))
    path.remove_suffix(1);
  return path;
}

// As Perl's dirname: "." where there is none, and a trailing slash is no name.
std::string_view folder_of(std::string_view path) {
  if (path.ends_with('/')) path = without_slashes(path);
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return without_slashes(path.substr(0, slash + 1));
}

std::string_view part_of(std::string_view argument, Part part) {
  switch (part) {
    case Part::kStem:
      return stem_of(argument);
    case Part::kName:
      return name_of(argument);
    case Part::kFolder:
      return folder_of(argument);
    case Part::kNameStem:
      return stem_of(name_of(argument));
    default:
      return argument;
  }
}

std::optional<Part> part_named(std::string_view text) {
  if (text.empty()) return Part::kWhole;
  if (text == ".") return Part::kStem;
  if (text == "/") return Part::kName;
  if (text == "//") return Part::kFolder;
  if (text == "/.") return Part::kNameStem;
  return std::nullopt;
}

// The replacement string that the text begins with.
std::optional<Replacement> read_replacement(std::string_view text) {
  const std::size_t end = text.find('}');
  if (!text.starts_with('{') || end == std::string_view::npos) return std::nullopt;
  const std::string_view body = text.substr(1, end - 1);
  Replacement replacement;
  replacement.length = end + 1;
  if (body == "#" || body == "%") {
    replacement.part = body == "#" ? Part::kNumber : Part::kSlot;
    return replacement;
  }
  const auto number = std::from_chars(body.data(), body.data() + body.size(), replacement.position);
  const bool numbered = number.ptr != body.data();
  if (numbered && (number.ec != std::errc{} || replacement.position == 0)) return std::nullopt;
  const auto part = part_named(body.substr(static_cast<std::size_t>(number.ptr - body.data())));
  if (!part) return std::nullopt;
  replacement.part = *part;
  return replacement;
}

// Calls text(piece) and replace(replacement) for what the template consists of.
template <typename Text, typename Replace>
void take_apart(std::string_view form, const Text& text, const Replace& replace) {
  while (!form.empty()) {
    const std::size_t brace = std::min(form.find('{'), form.size());
    text(form.substr(0, brace));
    form.remove_prefix(brace);
    if (form.empty()) return;
    if (const auto replacement = read_replacement(form)) {
      replace(*replacement);
      form.remove_prefix(replacement->length);
    } else {
      text(form.substr(0, 1));
      form.remove_prefix(1);
    }
  }
}

bool has_replacement(std::string_view form) {
  bool found = false;
  take_apart(
      form, [](std::string_view) {}, [&found](const Replacement&) { found = true; });
  return found;
}

bool has_replacement(const proto::ExecSpec& spec) {
  return has_replacement(spec.shell_command()) ||
         std::any_of(spec.command().begin(), spec.command().end(),
                     [](const std::string& word) { return has_replacement(word); });
}

std::vector<std::string_view> split_input(std::string_view input, std::uint32_t arguments) {
  std::vector<std::string_view> split;
  for (; arguments > 1 && split.size() + 1 < arguments; input.remove_prefix(split.back().size() + 1)) {
    const std::size_t end = input.find(kSeparator);
    if (end == std::string_view::npos) break;
    split.push_back(input.substr(0, end));
  }
  split.push_back(input);
  return split;
}

// What replacement strings stand for in one job.
class JobWords {
 public:
  JobWords(std::string_view input, std::uint32_t arguments, ExecPlace place)
      : arguments_(split_input(input, arguments)), place_(place) {}

  // One string; several where the replacement is every argument, none where there is no such argument.
  std::vector<std::string> of(const Replacement& replacement) const {
    if (replacement.part == Part::kNumber) return {std::to_string(place_.job + 1)};
    if (replacement.part == Part::kSlot) return {std::to_string(place_.slot)};
    std::vector<std::string> words;
    if (replacement.position == 0) {
      for (const std::string_view argument : arguments_)
        words.emplace_back(part_of(argument, replacement.part));
      return words;
    }
    const auto count = static_cast<std::int64_t>(arguments_.size());
    const std::int64_t index =
        replacement.position > 0 ? replacement.position - 1 : count + replacement.position;
    if (index < 0 || index >= count) return {};
    return {std::string(part_of(arguments_[static_cast<std::size_t>(index)], replacement.part))};
  }
  std::vector<std::string> all() const { return of(Replacement{}); }

 private:
  std::vector<std::string_view> arguments_;
  ExecPlace place_;
};

std::string joined(const std::vector<std::string>& words, bool quotes) {
  std::string text;
  for (const std::string& word : words)
    text.append(&word == &words.front() ? "" : " ").append(quotes ? shell_quoted(word) : word);
  return text;
}

std::string expand_text(std::string_view form, const JobWords& words) {
  std::string text;
  take_apart(
      form, [&text](std::string_view piece) { text += piece; },
      [&](const Replacement& replacement) { text += joined(words.of(replacement), true); });
  return text;
}

void expand_word(std::string_view form, const JobWords& words, std::vector<std::string>& argv) {
  argv.emplace_back();
  take_apart(
      form, [&argv](std::string_view piece) { argv.back() += piece; },
      [&](const Replacement& replacement) {
        const std::vector<std::string> put = words.of(replacement);
        if (put.empty()) return;
        argv.back() += put.front();
        argv.insert(argv.end(), put.begin() + 1, put.end());
      });
}

}  // namespace

std::vector<std::string> expand_command(const proto::ExecSpec& spec, std::string_view input,
                                        ExecPlace place) {
  const JobWords words(input, spec.arguments(), place);
  std::vector<std::string> argv;
  if (!spec.command().empty()) {
    for (const std::string& word : spec.command())
      expand_word(word, words, argv);
    if (!has_replacement(spec)) {
      const std::vector<std::string> all = words.all();
      argv.insert(argv.end(), all.begin(), all.end());
    }
    return argv;
  }
  std::string text = expand_text(spec.shell_command(), words);
  if (text.empty()) {
    text = joined(words.all(), false);
  } else if (!has_replacement(spec)) {
    text += " " + joined(words.all(), true);
  }
  return {std::string(kShell), "-c", std::move(text)};
}

std::uint64_t arguments_named(const proto::ExecSpec& spec) {
  std::uint64_t highest = 0;
  const auto look = [&highest](std::string_view form) {
    take_apart(
        form, [](std::string_view) {},
        [&highest](const Replacement& replacement) {
          const std::int64_t position = replacement.position;
          const auto number = static_cast<std::uint64_t>(position);
          highest = std::max(highest, position < 0 ? 0 - number : number);
        });
  };
  look(spec.shell_command());
  for (const std::string& word : spec.command())
    look(word);
  return highest;
}

// The way of GNU parallel, byte for byte: its users compare.
std::string shell_quoted(std::string_view argument) {
  constexpr std::string_view kPlain = "-_.+/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  if (argument.empty()) return "''";
  if (argument.find_first_not_of(kPlain) == std::string_view::npos) return std::string(argument);
  std::string text = "'";
  for (const char letter : argument)
    letter == '\'' ? text += R"('"'"')" : text += letter;
  text += '\'';
  if (text.starts_with("''")) text.erase(0, 2);
  if (text.ends_with("''")) text.erase(text.size() - 2);
  return text;
}

std::string shown_command(const std::vector<std::string>& argv) {
  if (argv.size() == 3 && argv[0] == kShell && argv[1] == "-c") return argv[2];
  return joined(argv, true);
}

std::string join_arguments(const std::vector<std::string>& arguments) {
  std::string input;
  for (const std::string& argument : arguments) {
    if (&argument != &arguments.front()) input += kSeparator;
    input += argument;
  }
  return input;
}

std::string shown_arguments(std::string_view input, std::uint32_t arguments) {
  std::string text(input);
  if (arguments > 1) std::replace(text.begin(), text.end(), kSeparator, ' ');
  return text;
}

}  // namespace fantail
