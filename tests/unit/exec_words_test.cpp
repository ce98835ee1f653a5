// The words of an exec run and the arguments that they stand for, in the order of GNU parallel.
#include "ventilator/kinds/exec_words.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "pipeline/app/arguments.h"
#include "tests/support/temporary_folder.h"
#include "ventilator/kinds/kind_command.h"

namespace fantail {
namespace {

using Words = std::vector<std::string>;

// The inputs; an error ends them.
Words all_inputs(Source& source, std::size_t limit = 3) {
  Words inputs;
  for (;;) {
    const std::size_t before = inputs.size();
    const auto status = source.read(limit, inputs);
    EXPECT_LE(inputs.size(), before + limit);
    if (const auto* error = std::get_if<SourceError>(&status)) {
      inputs.push_back("error: " + error->message);
      return inputs;
    }
    if (std::get<SourceStatus>(status) == SourceStatus::kEnd) return inputs;
  }
}

Words inputs_of(const Words& words, const Words& files = {}, char delimiter = '\n') {
  auto read = read_exec_words(words, files);
  if (const auto* error = std::get_if<std::string>(&read)) return {"error: " + *error};
  auto source = make_argument_source(std::move(std::get<ExecWords>(read).lists), delimiter);
  if (const auto* error = std::get_if<SourceError>(&source)) return {"error: " + error->message};
  return all_inputs(*std::get<std::unique_ptr<Source>>(source));
}

TEST(ExecWords, CombinesEveryArgumentWithEveryOther) {
  EXPECT_EQ(inputs_of({"echo", ":::", "a", "b"}), (Words{"a", "b"}));
  EXPECT_EQ(inputs_of({"echo", ":::", "a", "b", ":::", "c", "d"}), (Words{"a\tc", "a\td", "b\tc", "b\td"}));
  EXPECT_EQ(inputs_of({":::", "a", "", ":::", "1", "2", ":::", "x"}),
            (Words{"a\t1\tx", "a\t2\tx", "\t1\tx", "\t2\tx"}));
  EXPECT_EQ(inputs_of({"echo", ":::"}), Words{});
  EXPECT_EQ(inputs_of({"echo", ":::", "a", ":::"}), Words{});
}

TEST(ExecWords, LinkedListsAdvanceTogether) {
  EXPECT_EQ(inputs_of({"echo", ":::", "a", "b", "c", ":::+", "x", "y", ":::", "1", "2"}),
            (Words{"a\tx\t1", "a\tx\t2", "b\ty\t1", "b\ty\t2"}));
  EXPECT_EQ(inputs_of({"echo", ":::", "a", "b", ":::", "1", "2", ":::+", "x", "y"}),
            (Words{"a\t1\tx", "a\t2\ty", "b\t1\tx", "b\t2\ty"}));
  EXPECT_EQ(inputs_of({"echo", ":::", "a", "b", ":::+", "x", "y", ":::+", "8", "9", "10"}),
            (Words{"a\tx\t8", "b\ty\t9"}));
}

TEST(ExecWords, ReadsFilesLineByLine) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  const auto file = [&folder](const std::string& name, const std::string& content) {
    std::ofstream(folder.path(name), std::ios::binary) << content;
    return folder.path(name);
  };
  const std::string one = file("one", "1\n2\n");
  const std::string two = file("two", "x\n\n  y");
  const std::string nul = file("nul", std::string("a\nb\0\0c", 6));
  EXPECT_EQ(inputs_of({"echo", "::::", one, two}), (Words{"1\tx", "1\t", "1\t  y", "2\tx", "2\t", "2\t  y"}));
  EXPECT_EQ(inputs_of({"echo", "::::", one, "::::+", two}), (Words{"1\tx", "2\t"}));
  EXPECT_EQ(inputs_of({"echo", ":::", "q"}, {one}), (Words{"1\tq", "2\tq"}));
  EXPECT_EQ(inputs_of({"echo"}, {nul}, '\0'), (Words{"a\nb", "", "c"}));
}

TEST(ExecWords, RefusesWhatNoJobCanBeGiven) {
  const TemporaryFolder folder{TemporaryFolder::Place::kMemory};
  std::ofstream(folder.path("nul"), std::ios::binary) << std::string("a\0b\n", 4);
  EXPECT_EQ(inputs_of({"echo", ":::", "a\tb"}), Words{"a\tb"});
  EXPECT_TRUE(
      inputs_of({"echo", ":::", "a\tb", ":::", "c"}).back().starts_with("error: an argument has a tab"));
  EXPECT_TRUE(
      inputs_of({"echo", ":::", "c", ":::", "a\tb"}).back().starts_with("error: an argument has a tab"));
  EXPECT_TRUE(
      inputs_of({"echo"}, {folder.path("nul")}).back().starts_with("error: an argument has a NUL byte"));
  EXPECT_TRUE(inputs_of({"echo", ":::+", "a"}).back().starts_with("error: :::+ is linked"));
  EXPECT_TRUE(inputs_of({"echo", "::::"}).back().starts_with("error: :::: names no file"));
  EXPECT_TRUE(inputs_of({"echo", "::::", "-", "-"}).back().starts_with("error: standard input can be one"));
  EXPECT_TRUE(inputs_of({"echo", "::::", "/nowhere"}).back().starts_with("error: cannot read :::: /nowhere"));
}

TEST(ExecWords, AProductIsMadeAsItIsRead) {
  Words many(1000, "a");
  Words words{":::"};
  words.insert(words.end(), many.begin(), many.end());
  Words command;
  for (int list = 0; list < 6; ++list)
    command.insert(command.end(), words.begin(), words.end());
  auto read = read_exec_words(command, {});
  auto source = make_argument_source(std::move(std::get<ExecWords>(read).lists), '\n');
  Words inputs;
  std::get<std::unique_ptr<Source>>(source)->read(2000, inputs);
  EXPECT_EQ(inputs.size(), 2000u);
}

// ---- the command line

struct Parsed {
  std::optional<int> code;
  Words command;  // what the ventilator would be given
  std::variant<RunRequest, std::string> request;
};

Parsed parse(Words arguments) {
  CLI::App app("", "fantail run");
  bool keep_order = false;
  std::string output;
  app.add_flag("-k,--keep-order", keep_order);
  app.add_option("-o,--output", output);
  const auto commands = add_kind_commands(app);
  app.require_subcommand(1);
  arguments.insert(arguments.begin(), "fantail");
  std::vector<char*> argv;
  for (std::string& argument : arguments)
    argv.push_back(argument.data());
  Parsed parsed;
  parsed.code = parse_kind_command_line(app, commands, static_cast<int>(argv.size()), argv.data());
  for (const auto& command : commands) {
    if (parsed.code || !command->app->parsed()) continue;
    parsed.command = arguments_of_subcommand(*command->app);
    parsed.request = command->make_request();
  }
  return parsed;
}

TEST(ExecCommandLine, LeavesTheWordsAlone) {
  const Words words = {"echo", "-n",  "[{}]",  "%%", "",   "--help", "files",
                       "++",   ":::", "[a,b]", "--", "-k", "exec"};
  Words line = {"-o", "exec", "exec", "-k", "--grace", "3s", "--"};
  line.insert(line.end(), words.begin(), words.end());
  const Parsed parsed = parse(line);
  ASSERT_FALSE(parsed.code);
  Words expected = {"exec", "--grace=3s", "--"};
  expected.insert(expected.end(), words.begin(), words.end());
  EXPECT_EQ(parsed.command, expected);
  const proto::ExecSpec& spec = std::get<RunRequest>(parsed.request).spec.exec();
  EXPECT_EQ(Words(spec.command().begin(), spec.command().end()), Words(words.begin(), words.begin() + 8));
  EXPECT_EQ(spec.arguments(), 1u);
  EXPECT_EQ(spec.grace_us(), 3'000'000u);
  EXPECT_TRUE(spec.whole_output());
  // What the ventilator is given it reads in the same way.
  EXPECT_EQ(parse(parsed.command).command, parsed.command);
}

TEST(ExecCommandLine, NeedsNoDashesBeforeAPlainCommand) {
  const Parsed parsed = parse({"-k", "exec", "-0k", "echo", "-n", "--", "{}", ":::", "a"});
  ASSERT_FALSE(parsed.code);
  EXPECT_EQ(parsed.command, (Words{"exec", "--null", "--", "echo", "-n", "--", "{}", ":::", "a"}));
  EXPECT_EQ(parse({"exec", ":::", "echo a"}).command, (Words{"exec", "--", ":::", "echo a"}));
}

TEST(ExecCommandLine, AShellGetsTheWordsAsOne) {
  const Parsed parsed = parse({"exec", "--shell", "--", "echo {}", "|", "cat", ":::", "a"});
  const proto::ExecSpec& spec = std::get<RunRequest>(parsed.request).spec.exec();
  EXPECT_EQ(spec.shell_command(), "echo {} | cat");
  EXPECT_EQ(spec.command_size(), 0);
}

TEST(ExecCommandLine, RefusesWhatHasNoArgument) {
  EXPECT_EQ(
      std::get<std::string>(parse({"exec", "--", "echo", "{3}", ":::", "a", ":::", "b"}).request),
      "the command names argument {3}, and there are 2 sources of arguments: add one with :::, or take the "
      "name out");
}

TEST(ExecCommandLine, OtherKindsKeepTheirDashes) {
  const Parsed parsed = parse({"files", "--", "-weird", "exec"});
  ASSERT_FALSE(parsed.code);
  EXPECT_EQ(parsed.command, (Words{"files", "--", "-weird", "exec"}));
}

}  // namespace
}  // namespace fantail
