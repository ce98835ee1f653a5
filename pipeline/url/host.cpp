#include "pipeline/url/host.h"

#include <unicode/uidna.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "pipeline/url/ascii.h"
#include "pipeline/url/ip_address.h"
#include "pipeline/url/percent.h"
#include "pipeline/url/utf8.h"

namespace fantail {
namespace {

// The standard has no limit, but Punycode takes quadratic time, and no name that can be resolved is longer:
// it has at most 253 characters in ASCII, each of which stood for at most four bytes.
constexpr std::size_t kInternationalDomainBytesMax = 1024;

// Of ICU's findings the ones that CheckHyphens=false and VerifyDnsLength=false turn off.
constexpr std::uint32_t kToleratedErrors = UIDNA_ERROR_EMPTY_LABEL | UIDNA_ERROR_LABEL_TOO_LONG |
                                           UIDNA_ERROR_DOMAIN_NAME_TOO_LONG | UIDNA_ERROR_LEADING_HYPHEN |
                                           UIDNA_ERROR_TRAILING_HYPHEN | UIDNA_ERROR_HYPHEN_3_4;

bool is_forbidden_in_host(char c) {
  constexpr std::string_view kForbidden("\0\t\n\r #/:<>?@[\\]^|", 17);
  return kForbidden.find(c) != std::string_view::npos;
}

bool is_forbidden_in_domain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return is_forbidden_in_host(c) || byte <= 0x1F || c == '%' || byte == 0x7F;
}

// Null if ICU lacks its data. The object is immutable and may be used by all threads.
const UIDNA* international_names() {
  struct Close {
    void operator()(UIDNA* names) const { uidna_close(names); }
  };
  static const std::unique_ptr<UIDNA, Close> shared([] {
    UErrorCode error = U_ZERO_ERROR;
    UIDNA* names =
        uidna_openUTS46(UIDNA_CHECK_BIDI | UIDNA_CHECK_CONTEXTJ | UIDNA_NONTRANSITIONAL_TO_ASCII, &error);
    return U_SUCCESS(error) ? names : nullptr;
  }());
  return shared.get();
}

// The slow path: names in any script. Labels that are Punycode already are checked too.
std::optional<std::string> international_to_ascii(const std::string& domain) {
  const UIDNA* const names = international_names();
  if (names == nullptr || domain.size() > kInternationalDomainBytesMax) return std::nullopt;
  // One code point can map to many: the first call tells the size when the guess is too small.
  std::string out(domain.size() * 4 + 16, '\0');
  for (int attempt = 0; attempt < 2; ++attempt) {
    UIDNAInfo info = UIDNA_INFO_INITIALIZER;
    UErrorCode error = U_ZERO_ERROR;
    const std::int32_t length =
        uidna_nameToASCII_UTF8(names, domain.data(), static_cast<std::int32_t>(domain.size()), out.data(),
                               static_cast<std::int32_t>(out.size()), &info, &error);
    if (error == U_BUFFER_OVERFLOW_ERROR) {
      out.resize(static_cast<std::size_t>(length));
      continue;
    }
    if (U_FAILURE(error) || (info.errors & ~kToleratedErrors) != 0) return std::nullopt;
    out.resize(static_cast<std::size_t>(length));
    return out;
  }
  return std::nullopt;
}

// A name in ASCII is only lowercased, even if it is Punycode that no IDNA rule would allow: such names are in
// use, and the standard accepts them for that reason.
std::optional<std::string> domain_to_ascii(const std::string& domain) {
  if (is_ascii(domain)) return to_ascii_lower(std::string_view(domain));
  return international_to_ascii(domain);
}

std::optional<std::string> parse_domain(std::string_view text) {
  std::optional<std::string> domain = domain_to_ascii(to_valid_utf8(percent_decode(text)));
  if (!domain || domain->empty() || !is_ascii(*domain)) return std::nullopt;
  if (std::any_of(domain->begin(), domain->end(), is_forbidden_in_domain)) return std::nullopt;
  if (!ends_in_a_number(*domain)) return domain;
  const std::optional<std::uint32_t> address = parse_ipv4(*domain);
  if (!address) return std::nullopt;
  return serialize_ipv4(*address);
}

std::optional<std::string> parse_opaque_host(std::string_view text) {
  if (std::any_of(text.begin(), text.end(), is_forbidden_in_host)) return std::nullopt;
  std::string out;
  append_percent_encoded(out, text, kControlEncodeSet);
  return out;
}

}  // namespace

std::optional<std::string> parse_host(std::string_view text, HostKind kind) {
  assert(!text.empty());
  if (text.front() == '[') {
    if (text.size() < 2 || text.back() != ']') return std::nullopt;
    const std::optional<Ipv6Pieces> pieces = parse_ipv6(text.substr(1, text.size() - 2));
    if (!pieces) return std::nullopt;
    return std::string("[").append(serialize_ipv6(*pieces)).append("]");
  }
  return kind == HostKind::kDomain ? parse_domain(text) : parse_opaque_host(text);
}

}  // namespace fantail
