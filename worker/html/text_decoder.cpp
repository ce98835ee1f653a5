#include "worker/html/text_decoder.h"

#include <unicode/ucnv.h>
#include <unicode/ucnv_cb.h>
#include <unicode/ustring.h>

#include <cassert>

#include "worker/html/utf8.h"

namespace fantail {
namespace {

constexpr UChar kReplacement = 0xFFFD;

// No byte becomes more than two UTF-16 units, and a converter holds back a few bytes at most.
constexpr std::size_t kUtf16Size = 2 * TextDecoder::kMaxPieceSize + 64;
constexpr std::size_t kMaxUtf8PerUnit = 3;

// ICU's own substitute is U+001A for some converters.
void substitute(const void*, UConverterToUnicodeArgs* arguments, const char*, int32_t,
                UConverterCallbackReason reason, UErrorCode* error) {
  if (reason > UCNV_IRREGULAR) return;
  *error = U_ZERO_ERROR;
  ucnv_cbToUWriteUChars(arguments, &kReplacement, 1, 0, error);
}

}  // namespace

void TextDecoder::CloseConverter::operator()(UConverter* converter) const {
  ucnv_close(converter);
}

TextDecoder::TextDecoder(const Encoding& encoding) : passes_through_(encoding.is_utf8()) {
  if (encoding.converter == nullptr) return;
  UErrorCode error = U_ZERO_ERROR;
  converter_.reset(ucnv_open(encoding.converter, &error));
  ucnv_setToUCallBack(converter_.get(), substitute, nullptr, nullptr, nullptr, &error);
  // An ICU without this converter's data: the ASCII in the page is better than nothing.
  passes_through_ = U_FAILURE(error);
  if (!passes_through_) utf16_.resize(kUtf16Size);
}

std::string_view TextDecoder::decode(std::string_view bytes) {
  assert(bytes.size() <= kMaxPieceSize);
  if (passes_through_) return bytes;
  if (converter_ != nullptr) return convert(bytes, false);
  if (bytes.empty() || reported_replacement_) return {};
  reported_replacement_ = true;
  return kReplacementCharacter;
}

std::string_view TextDecoder::finish() {
  if (passes_through_ || converter_ == nullptr) return {};
  return convert({}, true);
}

std::string_view TextDecoder::convert(std::string_view bytes, bool flush) {
  const char* source = bytes.data();
  char16_t* target = utf16_.data();
  UErrorCode error = U_ZERO_ERROR;
  ucnv_toUnicode(converter_.get(), &target, utf16_.data() + utf16_.size(), &source, source + bytes.size(),
                 nullptr, static_cast<UBool>(flush), &error);
  const auto units = static_cast<std::size_t>(target - utf16_.data());
  utf8_.resize(units * kMaxUtf8PerUnit);
  int32_t size = 0;
  error = U_ZERO_ERROR;
  u_strToUTF8WithSub(utf8_.data(), static_cast<int32_t>(utf8_.size()), &size, utf16_.data(),
                     static_cast<int32_t>(units), kReplacement, nullptr, &error);
  return std::string_view(utf8_).substr(0, static_cast<std::size_t>(size));
}

}  // namespace fantail
