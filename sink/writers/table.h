// The table for people: one line per job, failures first, cut to the width of the terminal. Knows
// neither terminals nor streams; nothing in a name, a title or an error reaches the terminal as a control
// sequence.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "sink/row.h"
#include "sink/writers/table_item.h"

namespace fantail {

class Table {
 public:
  static constexpr std::size_t kMaxLines = 40;

  // all: every job gets a line and is kept; else only those that can still come among the first 40.
  explicit Table(bool all) : all_(all) {}

  void add(const Row& row);
  // Lines of at most width columns, each with its newline; unicode: else ASCII alone; color: the marks are
  // coloured.
  std::string render(unsigned width, bool unicode, bool color) const;

 private:
  using Items = std::map<std::uint64_t, TableItem>;  // by job

  Items& items_of(Status status);

  bool all_;
  std::uint64_t rows_ = 0;
  Items failed_;
  Items ok_;
  Items not_ended_;  // cancelled or expired
};

}  // namespace fantail
