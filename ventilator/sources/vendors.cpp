#include "ventilator/sources/vendors.h"

#include <yaml-cpp/yaml.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <system_error>

#include "pipeline/url/utf8.h"
#include "ventilator/sources/vendor_entry.h"

namespace fantail {

namespace {

constexpr std::size_t kMaxFileSize = 16U << 20U;

struct FileText {
  std::string text;
  std::string error;  // empty when all was read
};

FileText read_text(const std::string& path) {
  errno = 0;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  FileText result;
  std::array<char, 65536> buffer{};
  while (file != nullptr && result.text.size() <= kMaxFileSize) {
    const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get());
    if (size == 0) break;
    result.text.append(buffer.data(), size);
  }
  if (file == nullptr || std::ferror(file.get()) != 0) result.error = std::generic_category().message(errno);
  if (result.text.size() > kMaxFileSize) result.error = "it has more than 16 MiB";
  return result;
}

using Vendors = std::variant<std::vector<proto::Vendor>, std::string>;

Vendors read_list(const YAML::Node& list, const std::string& path, const Environment& environment) {
  std::vector<proto::Vendor> vendors;
  std::set<std::string> names;
  for (const YAML::Node& entry : list) {
    VendorEntry reader(entry, vendors.size() + 1, environment);
    proto::Vendor vendor;
    if (!reader.read(vendor)) return vendors_error(path, reader.problem());
    if (!names.insert(vendor.name()).second) {
      return vendors_error(path, {line_of(entry["name"]), "two vendors have the name \"" + vendor.name() +
                                                              "\"; give each a name of its own"});
    }
    vendors.push_back(std::move(vendor));
  }
  return vendors;
}

Vendors read_document(const YAML::Node& document, const std::string& path, const Environment& environment) {
  static constexpr std::array<std::string_view, 1> kKeys = {"vendors"};
  if (!document.IsMap()) {
    return vendors_error(path, {line_of(document),
                                "the file has no \"vendors:\" list; write \"vendors:\" and "
                                "below it an entry such as \"- name: BestBuy\""});
  }
  if (const auto problem = check_keys(document, kKeys)) return vendors_error(path, *problem);
  const YAML::Node list = document["vendors"];
  if (!list || !list.IsSequence() || list.size() == 0) {
    return vendors_error(path, {line_of(list ? list : document),
                                "\"vendors\" is not a list with entries; write "
                                "below it one such as \"- name: BestBuy\""});
  }
  return read_list(list, path, environment);
}

}  // namespace

Vendors read_vendors(const std::string& path, const Environment& environment) {
  const FileText file = read_text(path);
  if (!file.error.empty())
    return "cannot read --vendors " + path + ": " + file.error + "; give the path of a vendors file";
  if (to_valid_utf8(file.text) != file.text)
    return path + ": the file is not UTF-8; save it in that encoding";
  try {
    return read_document(YAML::Load(file.text), path, environment);
  } catch (const YAML::Exception& error) {
    return vendors_error(path, {error.mark.line + 1, "the file is not valid YAML (" + error.msg +
                                                         "); correct this line or the one above"});
  }
}

}  // namespace fantail
