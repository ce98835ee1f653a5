// The expectations are what GNU parallel 20221122 does: of `parallel -q --dry-run` for commands that are
// words, of `parallel --dry-run` for a shell's.
#include "pipeline/exec_command.h"

#include <gtest/gtest.h>

namespace fantail {
namespace {

using Words = std::vector<std::string>;

proto::ExecSpec words(const Words& command, std::uint32_t arguments = 1) {
  proto::ExecSpec spec;
  for (const std::string& word : command)
    spec.add_command(word);
  spec.set_arguments(arguments);
  return spec;
}

proto::ExecSpec shell(const std::string& command, std::uint32_t arguments = 1) {
  proto::ExecSpec spec;
  spec.set_shell_command(command);
  spec.set_arguments(arguments);
  return spec;
}

std::string text_of(const proto::ExecSpec& spec, const std::string& input) {
  return shown_command(expand_command(spec, input, {}));
}

TEST(ExecCommand, TakesPathsApart) {
  struct Case {
    const char* argument;
    const char* expected;  // {.}_{/}_{//}_{/.}
  };
  constexpr Case kCases[] = {
      {"a.b.c", "a.b_a.b.c_._a.b"},
      {"/x/y.z", "/x/y_y.z_/x_y"},
      {"/x/y.z/", "/x/y.z/__/x_"},
      {"x/", "x/__._"},
      {".", "_._._"},
      {"..", "._.._._."},
      {".bashrc", "_.bashrc_._"},
      {"a/.bashrc", "a/_.bashrc_a_"},
      {"/a", "/a_a_/_a"},
      {"a.b/c", "a.b/c_c_a.b_c"},
      {"a/b.", "a/b_b._a_b"},
      {"/", "/__/_"},
      {"//", "//__/_"},
      {"a//b.c", "a//b_b.c_a_b"},
      {"a/b.tar.gz", "a/b.tar_b.tar.gz_a_b.tar"},
      {"", "__._"},
      {"a/b/", "a/b/__a_"},
      {"/a/", "/a/__/_"},
  };
  for (const Case& each : kCases) {
    EXPECT_EQ(expand_command(words({"{.}_{/}_{//}_{/.}"}), each.argument, {}), Words{each.expected})
        << each.argument;
  }
}

TEST(ExecCommand, PutsArgumentsIn) {
  struct Case {
    Words command;
    const char* input;
    std::uint32_t arguments;
    Words expected;
  };
  const Case cases[] = {
      {{"echo", "{}"}, "a  b", 1, {"echo", "a  b"}},
      {{"echo"}, "a", 1, {"echo", "a"}},
      {{"echo"}, "", 1, {"echo", ""}},
      {{"echo", "x"}, "a b\tc", 2, {"echo", "x", "a b", "c"}},
      {{"echo", "{}"}, "a b\tc", 2, {"echo", "a b", "c"}},
      {{"echo", "x{}y"}, "a b\tc", 2, {"echo", "xa b", "cy"}},
      {{"echo", "{1}{2}"}, "a b\tc", 2, {"echo", "a bc"}},
      {{"echo", "{.} {/}"}, "a/b.x\tc/d.y", 2, {"echo", "a/b", "c/d b.x", "d.y"}},
      {{"echo", "{-1}", "{-2}"}, "a\tb", 2, {"echo", "b", "a"}},
      {{"echo", "{1}-{2}-{1.}-{1/}-{2//}-{2/.}"}, "a.x\td/e.f", 2, {"echo", "a.x-d/e.f-a-a.x-d-e"}},
      {{"{}"}, "a\tb", 1, {"a\tb"}},
      {{"--out={/.}.png"}, "in/one.svg", 1, {"--out=one.png"}},
      {{"echo", "{ }", "{x}", "{..}", "{+}", "{##}", "{0}", "{1x}", "{", "}{"},
       "a",
       1,
       {"echo", "{ }", "{x}", "{..}", "{+}", "{##}", "{0}", "{1x}", "{", "}{", "a"}},
      {{"{{}}", "{1}"}, "{}", 1, {"{{}}", "{}"}},
  };
  for (const Case& each : cases)
    EXPECT_EQ(expand_command(words(each.command, each.arguments), each.input, {}), each.expected)
        << each.input;
}

TEST(ExecCommand, KnowsItsPlace) {
  EXPECT_EQ(expand_command(words({"echo", "{#}-{%}"}), "a", {41, 3}), (Words{"echo", "42-3"}));
}

TEST(ExecCommand, GivesAShellWhatItWillReadAsTheArgument) {
  EXPECT_EQ(expand_command(shell("echo {} | cat"), "a  b", {}),
            (Words{"/bin/sh", "-c", "echo 'a  b' | cat"}));
  EXPECT_EQ(text_of(shell("echo x | cat"), "a"), "echo x | cat a");
  EXPECT_EQ(text_of(shell("echo {} {}", 2), "a\tc d"), "echo a 'c d' a 'c d'");
  EXPECT_EQ(text_of(shell("echo {.} {/} {//} {/.}", 2), "a/b.x\tc/d.y"), "echo a/b c/d b.x d.y a c b d");
  EXPECT_EQ(text_of(shell("echo {3} {2} {1}", 2), "a\tc"), "echo  c a");
}

TEST(ExecCommand, IsTheArgumentWhereThereIsNoOther) {
  EXPECT_EQ(expand_command(shell(""), "echo a | wc", {}), (Words{"/bin/sh", "-c", "echo a | wc"}));
  EXPECT_EQ(text_of(shell("", 2), "echo\tb"), "echo b");
}

TEST(ExecCommand, QuotesAsParallelDoes) {
  const std::pair<const char*, const char*> cases[] = {
      {"a", "a"},
      {"b c", "'b c'"},
      {"it's", R"('it'"'"'s')"},
      {"'", R"("'")"},
      {"''", R"("'"''"'")"},
      {"a'", R"('a'"'")"},
      {"'a", R"("'"'a')"},
      {"", "''"},
      {"*.c", "'*.c'"},
      {"a=b", "'a=b'"},
      {"\xC3\xA9", "'\xC3\xA9'"},
      {"-n", "-n"},
      {"%@+:,./_", "'%@+:,./_'"},
      {"/a/b+c_d-e.f", "/a/b+c_d-e.f"},
  };
  for (const auto& [argument, expected] : cases)
    EXPECT_EQ(shell_quoted(argument), expected);
}

TEST(ExecCommand, SaysWhichArgumentsItNames) {
  EXPECT_EQ(arguments_named(words({"echo", "{}", "{#}"})), 0u);
  EXPECT_EQ(arguments_named(words({"echo", "{1}{3/.}"})), 3u);
  EXPECT_EQ(arguments_named(shell("echo {-2}")), 2u);
}

TEST(ExecCommand, AnInputIsItsArguments) {
  EXPECT_EQ(join_arguments({"a", "b c"}), "a\tb c");
  EXPECT_EQ(shown_arguments("a\tb", 2), "a b");
  EXPECT_EQ(shown_arguments("a\tb", 1), "a\tb");
}

}  // namespace
}  // namespace fantail
