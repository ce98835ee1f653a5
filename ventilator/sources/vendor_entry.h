// One entry of the vendors file: which keys it may have, what they may hold, and how to say what is wrong
// with them.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "kinds.pb.h"
#include "ventilator/sources/vendors.h"

namespace fantail {

struct VendorProblem {
  int line = 0;  // 1 is the first; 0 where there is none
  std::string text;
};

int line_of(const YAML::Node& node);
std::string vendors_error(const std::string& path, const VendorProblem& problem);  // "FILE:LINE: text"

// Looks for keys that are unknown or there twice.
std::optional<VendorProblem> check_keys(const YAML::Node& map, std::span<const std::string_view> known);

// Reads one entry. May throw YAML::Exception.
class VendorEntry {
 public:
  // position counts from 1 and names the entry until its name is known.
  VendorEntry(const YAML::Node& entry, std::size_t position, const Environment& environment);

  bool read(proto::Vendor& vendor);  // false: there is a problem
  const VendorProblem& problem() const { return problem_; }

 private:
  bool fail(const YAML::Node& at, const std::string& cause);
  // Leaves the text as it is where the key is missing.
  bool read_text(const char* key, std::string* text);
  bool read_name(proto::Vendor& vendor);
  bool read_timeout(proto::Vendor& vendor);
  bool read_pointers(proto::Vendor& vendor);
  bool read_pointer(const char* key, std::string* pointer);
  bool read_currency(proto::Vendor& vendor);
  bool read_body(proto::Vendor& vendor);
  bool read_method(proto::Vendor& vendor);
  bool read_url(proto::Vendor& vendor);
  bool read_headers(proto::Vendor& vendor);
  bool read_header_item(const YAML::Node& item, proto::Vendor& vendor);
  bool read_header_pair(const YAML::Node& name, const YAML::Node& value, proto::Vendor& vendor);
  bool add_header(const YAML::Node& at, const std::string& name, const std::string& value,
                  proto::Vendor& vendor);
  bool expand(const YAML::Node& at, std::string_view text, std::string& expanded);

  const YAML::Node entry_;
  const Environment& environment_;
  std::string label_;
  VendorProblem problem_;
};

}  // namespace fantail
