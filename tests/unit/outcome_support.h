// Outcomes for the tests of kinds, and the plain way to a hash that a kind's fast way has to agree with.
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string_view>

#include "sink/digest.h"
#include "sink/kinds/kind.h"
#include "sink/outcome.h"

namespace fantail {

// The views have to outlive the outcome: pass literals or named strings.
inline Outcome make_outcome(std::uint64_t job, Status status, std::string_view input,
                            std::string_view payload = {}) {
  Outcome outcome;
  outcome.job = job;
  outcome.status = status;
  outcome.input = input;
  outcome.payload = payload;
  return outcome;
}

inline FieldValue field_value(const std::vector<Field>& fields, std::string_view name) {
  for (const Field& field : fields) {
    if (field.name == name) return field.value;
  }
  ADD_FAILURE() << "no field " << name;
  return {};
}

// The hash of the row as it is shown, less the columns that depend on time.
inline XXH128_hash_t hash_of_row(const Kind& kind, const Outcome& outcome) {
  OutcomeHasher hasher;
  hasher.begin(outcome.job, outcome.status);
  for (const Field& field : kind.fields(outcome)) {
    if (field.name != "load_ms") hasher.add_field(field.value);
  }
  return hasher.hash();
}

inline bool equal(XXH128_hash_t a, XXH128_hash_t b) {
  return a.low64 == b.low64 && a.high64 == b.high64;
}

// The fields are the columns, in order, and add() hashes what fields() shows.
inline void expect_consistent(Kind& kind, const Outcome& outcome) {
  const std::vector<Field> fields = kind.fields(outcome);
  ASSERT_EQ(fields.size(), kind.field_names().size());
  for (std::size_t i = 0; i < fields.size(); ++i)
    EXPECT_EQ(fields[i].name, kind.field_names()[i]);
  EXPECT_TRUE(equal(kind.add(outcome), hash_of_row(kind, outcome)));
}

}  // namespace fantail
