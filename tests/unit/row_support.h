// Rows for the tests of formats.
#pragma once

#include <string>
#include <vector>

#include "sink/row.h"

namespace fantail {

inline Row make_plain_row(std::uint64_t job, std::string_view kind, std::string input,
                          std::vector<Field> fields) {
  Row row;
  row.job = job;
  row.input = std::move(input);
  row.kind = kind;
  row.attempt = 1;
  row.worker = "w1";
  row.queued_us = 45;
  row.duration_us = 12'345;
  row.fields = std::move(fields);
  return row;
}

inline Row make_file_row(std::uint64_t job, std::string path, std::uint64_t size, std::uint64_t words,
                         std::uint64_t lines) {
  return make_plain_row(job, "files", path,
                        {{"path", path},
                         {"size", size},
                         {"hash", std::string("8a3fc0de")},
                         {"hash_algorithm", std::string("xxh3")},
                         {"words", words},
                         {"lines", lines}});
}

inline Row make_url_row(std::uint64_t job, std::string url, std::string title) {
  return make_plain_row(job, "urls", url,
                        {{"url", url},
                         {"final_url", url},
                         {"status_code", std::uint64_t{200}},
                         {"title", std::move(title)},
                         {"words", std::uint64_t{1234}},
                         {"links", std::vector<std::string>(45, "http://a/")},
                         {"bytes", std::uint64_t{5000}},
                         {"load_ms", as_milliseconds(11'000)}});
}

inline Row with_error(Row row, Status status, std::string code, std::string message) {
  row.status = status;
  row.error = RowError{std::move(code), std::move(message)};
  return row;
}

}  // namespace fantail
