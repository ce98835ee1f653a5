#include "ventilator/kinds/kind_command.h"
#include "ventilator/sources/lines.h"
#include "ventilator/sources/longest_first.h"
#include "ventilator/sources/walk.h"

namespace fantail {

namespace {

class FilesCommand : public KindCommand {
 public:
  explicit FilesCommand(CLI::App& parent) {
    app = parent.add_subcommand("files", "Size, hash, words and lines of every file");
    app->add_option("paths", paths_, "Files, and directories to walk")->type_name("PATH");
    app->add_option("--input", input_, "Read the paths from FILE, one a line; - is stdin")->type_name("FILE");
    app->add_flag("-0,--null", null_, "The paths of --input end with NUL bytes");
    app->add_option("--hash", hash_, "xxh3, md5, sha1, sha256, sha512, blake2b or none")
        ->check(CLI::IsMember({"xxh3", "md5", "sha1", "sha256", "sha512", "blake2b", "none"}))
        ->capture_default_str();
    app->footer(
        "Examples:\n  fantail run files /usr/include\n  find . -name '*.md' -print0 | fantail run files -0 "
        "--input -");
  }

  std::variant<RunRequest, std::string> make_request() override {
    RunRequest request;
    request.kind = "files";
    request.spec.mutable_files()->set_hash_algorithm(hash_);
    if (!paths_.empty() && !input_.empty()) return "give paths or --input, not both";
    if (paths_.empty() && input_.empty()) return "say which files: PATH… or --input FILE";
    if (input_.empty()) {
      request.source = make_longest_first(make_walk_source(paths_));
      request.walked = paths_;
      return request;
    }
    auto source = make_line_source(input_, LineFormat{null_ ? '\0' : '\n', false});
    if (auto* error = std::get_if<SourceError>(&source)) return error->message;
    request.source = make_longest_first(std::move(std::get<std::unique_ptr<Source>>(source)));
    return request;
  }

 private:
  std::vector<std::string> paths_;
  std::string input_;
  bool null_ = false;
  std::string hash_ = "xxh3";
};

}  // namespace

std::unique_ptr<KindCommand> add_files_command(CLI::App& parent) {
  return std::make_unique<FilesCommand>(parent);
}

}  // namespace fantail
