// Columns and batches the way tests like to write and read them: string by string, job by job.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "pipeline/column.h"
#include "pipeline/range_set.h"

namespace fantail {

inline std::vector<std::string> strings_of(const proto::Column& column, std::uint32_t count) {
  std::vector<std::string> strings;
  std::optional<ColumnReader> reader = ColumnReader::open(column, count);
  EXPECT_TRUE(reader) << "the column does not fit";
  while (reader && strings.size() < count)
    strings.emplace_back(reader->next());
  return strings;
}

inline std::vector<JobId> jobs_in(const std::vector<JobSpan>& spans) {
  std::vector<JobId> jobs;
  for (const JobSpan& span : spans) {
    for (JobId job = span.first; job < span.end; ++job)
      jobs.push_back(job);
  }
  return jobs;
}

}  // namespace fantail
