#include "sink/writers/table_item.h"

#include <chrono>
#include <string_view>

#include "pipeline/byte_size.h"
#include "pipeline/duration.h"
#include "pipeline/number.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

// More than any terminal shows; what is longer loses its middle here.
constexpr std::size_t kMaxTextBytes = 8192;

std::string shown(std::string_view bytes) {
  if (bytes.size() <= kMaxTextBytes) return escape_control(bytes);
  return escape_control(bytes.substr(0, kMaxTextBytes / 2)) + "…" +
         escape_control(bytes.substr(bytes.size() - kMaxTextBytes / 2));
}

// The value of a field, if it is there and of that type.
template <typename Value>
const Value* find(const Row& row, std::string_view name) {
  for (const Field& field : row.fields) {
    if (field.name == name) return std::get_if<Value>(&field.value);
  }
  return nullptr;
}

std::string text_of(const Row& row, std::string_view name) {
  const auto* value = find<std::string>(row, name);
  return value == nullptr ? "" : shown(*value);
}

std::string items_of(const Row& row, std::string_view name, std::string_view singular,
                     std::string_view plural) {
  const auto* count = find<std::uint64_t>(row, name);
  // The singular is as wide as the plural, so that the numbers stand below each other.
  return count == nullptr ? "" : format_items(*count, std::string(singular) + " ", plural);
}

std::string duration_of(const Row& row) {
  return format_duration(std::chrono::microseconds(static_cast<std::int64_t>(row.duration_us)));
}

std::string short_hash(const Row& row) {
  const std::string hash = text_of(row, "hash");
  return hash.empty() ? "" : text_of(row, "hash_algorithm") + " " + truncate_end(hash, 4, "") + "…";
}

std::vector<std::string> file_facts(const Row& row) {
  const auto* size = find<std::uint64_t>(row, "size");
  return {size == nullptr ? "" : format_byte_size(*size), items_of(row, "words", "word", "words"),
          items_of(row, "lines", "line", "lines"), short_hash(row), duration_of(row)};
}

std::vector<std::string> page_facts(const Row& row) {
  const auto* links = find<std::vector<std::string>>(row, "links");
  return {items_of(row, "words", "word", "words"),
          links == nullptr ? "" : format_items(links->size(), "link ", "links"), duration_of(row)};
}

std::vector<std::string> quote_facts(const Row& row) {
  const auto* in_stock = find<bool>(row, "in_stock");
  const std::string price = text_of(row, "price");
  return {price.empty() ? "" : text_of(row, "currency") + " " + price,
          in_stock == nullptr ? "" : (*in_stock ? "in stock" : "out of stock"), duration_of(row)};
}

// What does not fit on a line of a terminal is in the rows.
std::string result_of(const Row& row) {
  constexpr std::size_t kMaxColumns = 48;
  const auto* result = find<JsonText>(row, "result");
  return result == nullptr ? "" : truncate_end(shown(result->text), kMaxColumns, "…");
}

std::string message_of(const Row& row) {
  if (row.status != Status::kFailed || !row.error) return std::string(status_name(row.status));
  if (row.error->message.empty()) return shown(row.error->code);
  return shown(row.error->code) + ": " + shown(row.error->message);
}

}  // namespace

TableItem make_table_item(const Row& row) {
  TableItem item;
  item.status = row.status;
  item.name = shown(row.input);
  const bool ok = row.status == Status::kOk;
  if (!ok) item.message = message_of(row);
  if (row.kind == "files") {
    if (ok) item.facts = file_facts(row);
  } else if (row.kind == "urls") {
    if (const auto* code = find<std::uint64_t>(row, "status_code")) item.code = std::to_string(*code);
    if (const auto* title = find<std::string>(row, "title"); ok && title != nullptr && !title->empty())
      item.title = "\"" + shown(*title) + "\"";
    if (ok) item.facts = page_facts(row);
  } else if (row.kind == "prices") {
    if (find<std::string>(row, "vendor") != nullptr) item.name = text_of(row, "vendor");
    item.product = text_of(row, "product");
    if (ok) item.facts = quote_facts(row);
  } else if (row.kind == "map") {
    if (ok) item.facts = {result_of(row), duration_of(row)};
  } else if (ok) {
    item.facts = {duration_of(row)};
  }
  return item;
}

}  // namespace fantail
