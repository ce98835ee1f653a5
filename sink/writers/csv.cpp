#include "sink/writers/csv.h"

#include "sink/writers/decimal_text.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

void append_quoted(std::string_view text, std::string& out) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

void append_bytes(std::string_view bytes, std::string& out) {
  if (is_valid_utf8(bytes)) return append_quoted(bytes, out);
  bool altered = false;
  append_quoted(escape_invalid_utf8(bytes, &altered), out);
}

struct CsvValueWriter {
  std::string& out;

  void operator()(std::monostate) const {}
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(std::uint64_t value) const { append_integer(value, out); }
  void operator()(const Decimal& value) const { out += value.text; }
  void operator()(const JsonText& value) const { append_bytes(value.text, out); }
  void operator()(const std::string& value) const { append_bytes(value, out); }

  void operator()(const std::vector<std::string>& list) const {
    std::string joined;
    for (std::size_t i = 0; i < list.size(); ++i)
      joined.append(i == 0 ? "" : " ").append(list[i]);
    append_bytes(joined, out);
  }
};

}  // namespace

void append_csv_header(const std::vector<std::string_view>& field_names, std::string& out) {
  out += "job,input,kind,status,attempt,worker,queued_ms,duration_ms,error_code,error_message";
  for (const std::string_view name : field_names)
    out.append(",").append(name);
  out += '\n';
}

void append_csv(const Row& row, std::string& out) {
  append_integer(row.job, out);
  out += ',';
  append_bytes(row.input, out);
  out.append(",").append(row.kind).append(",").append(status_name(row.status)).append(",");
  append_integer(row.attempt, out);
  out += ',';
  append_bytes(row.worker, out);
  out += ',';
  append_milliseconds(row.queued_us, out);
  out += ',';
  append_milliseconds(row.duration_us, out);
  out += ',';
  if (row.error) append_bytes(row.error->code, out);
  out += ',';
  if (row.error) append_bytes(row.error->message, out);
  for (const Field& field : row.fields) {
    out += ',';
    std::visit(CsvValueWriter{out}, field.value);
  }
  out += '\n';
}

}  // namespace fantail
