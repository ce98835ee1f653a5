#include "sink/writers/jsonl.h"

#include <algorithm>
#include <string_view>

#include "sink/writers/decimal_text.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

bool needs_escape(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\';
}

void append_escape(char c, std::string& out) {
  static constexpr std::string_view kHexDigits = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += kHexDigits[byte >> 4];
      out += kHexDigits[byte & 0xF];
  }
}

// Requires: valid UTF-8. Stretches without anything to escape are copied at once.
void append_string(std::string_view utf8, std::string& out) {
  out += '"';
  while (!utf8.empty()) {
    const auto end = std::find_if(utf8.begin(), utf8.end(), needs_escape);
    const auto plain = static_cast<std::size_t>(end - utf8.begin());
    out.append(utf8.substr(0, plain));
    utf8.remove_prefix(plain);
    if (utf8.empty()) break;
    append_escape(utf8.front(), out);
    utf8.remove_prefix(1);
  }
  out += '"';
}

// Names are our own and need no escaping.
void append_name(std::string_view name, std::string_view suffix, std::string& out) {
  out.append(",\"").append(name).append(suffix).append("\":");
}

// A value, as text; its exact bytes follow as another member where it is not UTF-8.
void append_bytes(std::string_view name, std::string_view bytes, std::string& out) {
  if (is_valid_utf8(bytes)) return append_string(bytes, out);
  bool altered = false;
  append_string(escape_invalid_utf8(bytes, &altered), out);
  append_name(name, "_base64", out);
  append_string(base64(bytes), out);
}

template <typename Append>
void append_list(const std::vector<std::string>& list, const Append& append, std::string& out) {
  out += '[';
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (i > 0) out += ',';
    append(list[i]);
  }
  out += ']';
}

struct JsonValueWriter {
  std::string_view name;
  std::string& out;

  void operator()(std::monostate) const { out += "null"; }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::uint64_t value) const { append_integer(value, out); }
  void operator()(const Decimal& value) const { out += value.text; }
  void operator()(const JsonText& value) const { out += value.text; }
  void operator()(const std::string& value) const { append_bytes(name, value, out); }

  void operator()(const std::vector<std::string>& list) const {
    bool altered = false;
    append_list(
        list,
        [&](std::string_view item) {
          if (is_valid_utf8(item)) return append_string(item, out);
          append_string(escape_invalid_utf8(item, &altered), out);
        },
        out);
    if (!altered) return;
    append_name(name, "_base64", out);
    append_list(
        list, [&](std::string_view item) { append_string(base64(item), out); }, out);
  }
};

void append_error(const RowError& error, std::string& out) {
  out += "{\"code\":";
  append_bytes("code", error.code, out);
  out += ",\"message\":";
  append_bytes("message", error.message, out);
  out += '}';
}

}  // namespace

void append_jsonl(const Row& row, std::string& out) {
  out += "{\"job\":";
  append_integer(row.job, out);
  out += ",\"input\":";
  append_bytes("input", row.input, out);
  out.append(",\"kind\":\"").append(row.kind);
  out.append("\",\"status\":\"").append(status_name(row.status));
  out += "\",\"attempt\":";
  append_integer(row.attempt, out);
  out += ",\"worker\":";
  row.worker.empty() ? void(out += "null") : append_bytes("worker", row.worker, out);
  out += ",\"queued_ms\":";
  append_milliseconds(row.queued_us, out);
  out += ",\"duration_ms\":";
  append_milliseconds(row.duration_us, out);
  out += ",\"error\":";
  row.error ? append_error(*row.error, out) : void(out += "null");
  for (const Field& field : row.fields) {
    append_name(field.name, "", out);
    std::visit(JsonValueWriter{field.name, out}, field.value);
  }
  out += "}\n";
}

}  // namespace fantail
