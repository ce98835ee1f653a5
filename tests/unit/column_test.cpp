#include "pipeline/column.h"

#include <gtest/gtest.h>

#include "tests/support/columns.h"

namespace fantail {
namespace {

using Strings = std::vector<std::string>;

proto::Column column_of(const Strings& strings) {
  proto::Column column;
  for (const std::string& string : strings)
    append_to(column, string);
  seal_column(column);
  return column;
}

TEST(Column, StringsOfOneLengthNeedNoSizes) {
  const proto::Column column = column_of({"ab", "cd", "ef"});
  EXPECT_EQ(column.sizes_size(), 0);
  EXPECT_EQ(column.data(), "abcdef");
  EXPECT_EQ(strings_of(column, 3), (Strings{"ab", "cd", "ef"}));
}

TEST(Column, OthersKeepThem) {
  const Strings strings = {"", "a", std::string("\0b", 2), ""};
  const proto::Column column = column_of(strings);
  EXPECT_EQ(column.sizes_size(), 4);
  EXPECT_EQ(strings_of(column, 4), strings);
}

TEST(Column, EmptyStringsAreNothing) {
  const proto::Column column = column_of({"", "", ""});
  EXPECT_EQ(column.ByteSizeLong(), 0u);
  EXPECT_EQ(strings_of(column, 3), (Strings{"", "", ""}));
  EXPECT_EQ(strings_of(proto::Column{}, 0), Strings{});
}

TEST(Column, ReadsPastAndTogether) {
  for (const Strings& strings : {Strings{"a", "bb", "", "ccc"}, Strings{"aa", "bb", "cc", "dd"}}) {
    const proto::Column column = column_of(strings);
    auto reader = ColumnReader::open(column, 4);
    ASSERT_TRUE(reader);
    reader->skip(1);
    proto::Column taken = column_of({"before"});
    taken.add_sizes(6);
    reader->take(2, taken);
    EXPECT_EQ(strings_of(taken, 3), (Strings{"before", strings[1], strings[2]}));
    EXPECT_EQ(reader->next(), strings[3]);
    EXPECT_EQ(reader->index(), 4u);
  }
}

TEST(Column, AForgedOneIsRefused) {
  EXPECT_FALSE(ColumnReader::open(column_of({"abc"}), 0));
  EXPECT_FALSE(ColumnReader::open(column_of({"abc"}), 2)) << "three bytes are not two strings of one length";
  const proto::Column column = column_of({"a", "bb"});
  EXPECT_FALSE(ColumnReader::open(column, 1));
  EXPECT_FALSE(ColumnReader::open(column, 3));
  proto::Column longer = column;
  longer.set_sizes(1, 3);
  EXPECT_FALSE(ColumnReader::open(longer, 2)) << "beyond the data";
  longer.set_sizes(0, 0xFFFF'FFFF);
  longer.set_sizes(1, 4);
  EXPECT_FALSE(ColumnReader::open(longer, 2)) << "whose sum wraps at 32 bits";
}

}  // namespace
}  // namespace fantail
