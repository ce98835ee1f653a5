#include "sink/writers/table.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "pipeline/number.h"
#include "sink/writers/text.h"

namespace fantail {

namespace {

constexpr std::size_t kGap = 2;            // columns between cells
constexpr std::size_t kMinNameWidth = 16;  // facts are left out rather than that names get shorter

struct Style {
  std::size_t width;
  bool unicode;
  bool color;
  std::string_view ellipsis() const { return unicode ? "…" : "..."; }
};

std::string_view mark(Status status, bool unicode) {
  if (status == Status::kOk) return unicode ? "✓" : "ok";
  if (status == Status::kFailed) return unicode ? "✗" : "FAIL";
  return "-";
}

std::string_view color_of(Status status) {
  if (status == Status::kOk) return "\x1b[32m";
  return status == Status::kFailed ? "\x1b[31m" : "\x1b[33m";
}

// Without Unicode an ellipsis has its ASCII form, and what else is not ASCII is escaped.
std::string ascii(std::string_view text) {
  static constexpr std::string_view kEllipsis = "…";
  std::string out;
  for (;;) {
    const std::size_t found = text.find(kEllipsis);
    out += escape_non_ascii(text.substr(0, found));
    if (found == std::string_view::npos) return out;
    out += "...";
    text.remove_prefix(found + kEllipsis.size());
  }
}

TableItem in_ascii(TableItem item) {
  for (std::string* text : {&item.code, &item.name, &item.product, &item.title, &item.message})
    *text = ascii(*text);
  for (std::string& fact : item.facts)
    fact = ascii(fact);
  return item;
}

// Widths of the columns, 0: the column is not there.
struct Columns {
  std::size_t mark = 0;
  std::size_t code = 0;
  std::size_t name = 0;
  std::size_t product = 0;
  std::size_t title = 0;
  std::size_t message = 0;
  std::vector<std::size_t> facts;
};

std::size_t with_gap(std::size_t width) {
  return width == 0 ? 0 : width + kGap;
}

void widen(std::size_t& width, std::string_view text) {
  width = std::max(width, display_width(text));
}

bool differ_in_product(const std::vector<TableItem>& items) {
  std::string_view first;
  for (const TableItem& item : items) {
    if (first.empty()) first = item.product;
    if (!item.product.empty() && item.product != first) return true;
  }
  return false;
}

// On a narrow terminal the facts on the right go, one by one. Returns the room that the others take.
std::size_t fit_facts(std::vector<std::size_t>& facts, std::size_t room) {
  std::size_t used = 0;
  for (const std::size_t fact : facts)
    used += with_gap(fact);
  for (; used > room && !facts.empty(); facts.pop_back())
    used -= with_gap(facts.back());
  return used;
}

// Names and titles share what the other columns leave, and names leave room for messages.
void fit(Columns& columns, std::size_t width) {
  const std::size_t before = columns.mark + 1 + (columns.code == 0 ? 0 : columns.code + 1);
  const std::size_t fixed = before + with_gap(columns.product);
  const std::size_t wanted = fixed + std::min(columns.name, kMinNameWidth);
  const std::size_t facts = fit_facts(columns.facts, width - std::min(width, wanted));
  const std::size_t room = width - std::min(width, fixed + facts);
  if (columns.title > 0 && columns.name + kGap + columns.title > room) {
    const std::size_t left = room - std::min(room, columns.name + kGap);
    columns.title = std::min(columns.title, std::max(room / 3, left));
  }
  std::size_t name_room = room - std::min(room, with_gap(columns.title));
  if (columns.message > 0) {
    const std::size_t reserved = with_gap(std::min(columns.message, width / 2));
    const std::size_t left = width - std::min(width, fixed + reserved);
    name_room = std::min(name_room, left);
  }
  columns.name = std::min(columns.name, name_room);
}

Columns measure(const std::vector<TableItem>& items, const Style& style) {
  Columns columns;
  const bool products = differ_in_product(items);
  for (const TableItem& item : items) {
    widen(columns.mark, mark(item.status, style.unicode));
    widen(columns.code, item.code);
    widen(columns.name, item.name);
    widen(columns.title, item.title);
    widen(columns.message, item.message);
    if (products) widen(columns.product, item.product);
    columns.facts.resize(std::max(columns.facts.size(), item.facts.size()));
    for (std::size_t i = 0; i < item.facts.size(); ++i)
      widen(columns.facts[i], item.facts[i]);
  }
  fit(columns, style.width);
  return columns;
}

void append_cell(std::size_t width, std::string_view text, std::string& line) {
  if (width > 0) line.append(kGap, ' ').append(pad_right(text, width));
}

// The line behind the mark.
std::string line_body(const TableItem& item, const Columns& columns, const Style& style) {
  std::string line;
  if (columns.code > 0) line = pad_right(item.code, columns.code) + " ";
  line += pad_right(truncate_middle(item.name, columns.name, style.ellipsis()), columns.name);
  append_cell(columns.product, item.product, line);
  if (item.status != Status::kOk) {
    line.append(kGap, ' ').append(item.message);
  } else {
    append_cell(columns.title, truncate_end(item.title, columns.title, style.ellipsis()), line);
    for (std::size_t i = 0; i < columns.facts.size(); ++i)
      append_cell(columns.facts[i], pad_left(i < item.facts.size() ? item.facts[i] : "", columns.facts[i]),
                  line);
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

void append_line(const TableItem& item, const Columns& columns, const Style& style, std::string& out) {
  const std::string marked =
      truncate_end(mark(item.status, style.unicode), style.width, "") +
      std::string(columns.mark - display_width(mark(item.status, style.unicode)), ' ') + " ";
  const std::string cut =
      truncate_end(marked + line_body(item, columns, style), style.width, style.ellipsis());
  const std::size_t mark_length = std::min(cut.size(), mark(item.status, style.unicode).size());
  if (style.color) {
    out.append(color_of(item.status)).append(cut, 0, mark_length).append("\x1b[0m").append(cut, mark_length);
  } else {
    out += cut;
  }
  out += '\n';
}

}  // namespace

Table::Items& Table::items_of(Status status) {
  if (status == Status::kOk) return ok_;
  return status == Status::kFailed ? failed_ : not_ended_;
}

void Table::add(const Row& row) {
  ++rows_;
  Items& items = items_of(row.status);
  const bool full = !all_ && items.size() >= kMaxLines;
  if (full && row.job > items.rbegin()->first) return;
  const bool inserted = items.emplace(row.job, make_table_item(row)).second;
  if (full && inserted) items.erase(std::prev(items.end()));
}

std::string Table::render(unsigned width, bool unicode, bool color) const {
  const Style style = {width, unicode, color};
  std::vector<TableItem> items;
  for (const Items* part : {&failed_, &ok_, &not_ended_}) {
    for (const auto& [job, item] : *part) {
      if (!all_ && items.size() == kMaxLines) break;
      items.push_back(unicode ? item : in_ascii(item));
    }
  }
  const Columns columns = measure(items, style);
  std::string out;
  for (const TableItem& item : items)
    append_line(item, columns, style, out);
  if (rows_ > items.size()) {
    const std::string more =
        std::string(style.ellipsis()) + " " + format_count(rows_ - items.size()) + " more (--all)";
    out += truncate_end(more, width, style.ellipsis()) + "\n";
  }
  return out;
}

}  // namespace fantail
