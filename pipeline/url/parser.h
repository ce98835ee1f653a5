// The basic URL parser of https://url.spec.whatwg.org/#concept-basic-url-parser, without its state override.
// The states of the standard are methods of the same names. No state is ever entered twice, so each one
// consumes its part of the input and calls the next: all of it is linear in the input and the base.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/url/url.h"

namespace fantail {

class UrlParser {
 public:
  // Keeps base, which may be null.
  UrlParser(std::string_view input, const Url* base);

  // Call it once.
  std::optional<Url> parse();

 private:
  // Each state answers false when the input is not a URL.
  bool scheme_state();
  bool after_scheme();
  bool no_scheme_state();
  bool relative_state();
  bool relative_slash_state();
  bool authority_slashes_state();
  bool authority_state();
  void credentials(std::string_view text);
  bool host_state(std::string_view text);
  bool port_state(std::string_view text);
  bool file_state();
  bool file_slash_state();
  bool file_host_state();
  bool path_start_state();
  bool path_state();
  bool opaque_path_state();
  bool tail_state();

  bool is_special() const;
  bool is_file() const { return url_.scheme == "file"; }
  bool base_is_file() const { return base_ != nullptr && base_->scheme == "file"; }

  std::string_view rest() const { return std::string_view(input_).substr(position_); }
  bool rest_is_path() const;  // there is more, and it is neither query nor fragment
  // True for / and, in special schemes, \.
  bool at_slash() const;
  // Consumes the input up to the first of the stop characters.
  std::string_view take_until(std::string_view stops);
  std::string_view take_until_path_end();

  void copy_authority_of_base();

  const std::string input_;
  std::size_t position_ = 0;
  const Url* const base_;
  Url url_;
};

}  // namespace fantail
