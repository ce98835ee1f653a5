#include "ventilator/kinds/argument_options.h"

#include <unistd.h>

#include <algorithm>

#include "pipeline/app/command_line.h"

namespace fantail {

CLI::Option* ArgumentOptions::add_to(CLI::App& app, const std::string& words_help,
                                     const std::string& grace_help) {
  CLI::Option* words =
      app.add_option("words", words_, words_help)->type_name("CMD ... ::: ARG ...")->allow_extra_args(false);
  app.add_option("-a,--input", input_,
                 "Read arguments from FILE, one a line; - is stdin, as without any arguments. May be "
                 "repeated, for several arguments a job")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_flag("-0,--null", null_, "The arguments in files end with NUL bytes");
  add_duration(app, "--grace", grace_, grace_help);
  return words;
}

std::variant<ExecWords, std::string> ArgumentOptions::read(const CLI::Option& words) const {
  auto read = read_exec_words(words.results(), input_);
  ExecWords* given = std::get_if<ExecWords>(&read);
  if (given == nullptr || !given->lists.empty()) return read;
  if (isatty(STDIN_FILENO) == 1)
    return "say what to run the command for: ::: ARG..., --input FILE, or arguments on standard input";
  given->lists.push_back({.words = {}, .path = "-", .flag = "--input"});
  return read;
}

std::variant<std::unique_ptr<Source>, std::string> ArgumentOptions::open(
    std::vector<ArgumentList> lists) const {
  auto source = make_argument_source(std::move(lists), null_ ? '\0' : '\n');
  if (auto* error = std::get_if<SourceError>(&source)) return std::move(error->message);
  return std::get<std::unique_ptr<Source>>(std::move(source));
}

// 0 would be the worker's default.
std::uint64_t ArgumentOptions::grace_us() const {
  return static_cast<std::uint64_t>(std::max(grace_, Duration{1}).count());
}

}  // namespace fantail
