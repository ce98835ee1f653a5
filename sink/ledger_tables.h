// The tables of the ledger and how their rows are read. docs/LEDGER.md explains them.
#pragma once

#include "sink/ledger_file.h"
#include "sink/sqlite.h"

namespace fantail {

inline constexpr std::uint64_t kLedgerApplicationId = 0x666E746C;  // "fntl"
inline constexpr std::uint64_t kLedgerVersion = 1;

inline constexpr const char* kLedgerSchema = R"(
CREATE TABLE run (
  run_id TEXT NOT NULL, kind TEXT NOT NULL, spec BLOB NOT NULL, command TEXT NOT NULL, keep TEXT NOT NULL,
  created_at INTEGER NOT NULL);
CREATE TABLE outcomes (
  job INTEGER PRIMARY KEY, status INTEGER NOT NULL, attempt INTEGER NOT NULL, worker TEXT,
  queued_us INTEGER NOT NULL, duration_us INTEGER NOT NULL, input BLOB NOT NULL, error_code TEXT,
  error_message TEXT, payload BLOB, commit_sequence INTEGER NOT NULL);
CREATE TABLE completed (
  commit_sequence INTEGER NOT NULL, first INTEGER NOT NULL, count INTEGER NOT NULL, status INTEGER NOT NULL,
  without_row INTEGER NOT NULL, PRIMARY KEY (commit_sequence, first)) WITHOUT ROWID;
CREATE TABLE commits (
  sequence INTEGER PRIMARY KEY, kept_hash TEXT NOT NULL, books_hash TEXT NOT NULL,
  output_length INTEGER NOT NULL, output_sequence INTEGER NOT NULL, output_next_job INTEGER NOT NULL,
  chain TEXT NOT NULL);
CREATE TABLE books (
  only INTEGER PRIMARY KEY CHECK (only = 1), commit_sequence INTEGER NOT NULL, submitted INTEGER NOT NULL,
  ok INTEGER NOT NULL, failed INTEGER NOT NULL, cancelled INTEGER NOT NULL, expired INTEGER NOT NULL,
  digest TEXT NOT NULL, state BLOB NOT NULL, aggregate BLOB NOT NULL);
CREATE VIEW rows AS SELECT
  job, CAST(input AS TEXT) AS input,
  CASE status WHEN 1 THEN 'ok' WHEN 2 THEN 'failed' WHEN 3 THEN 'cancelled' WHEN 4 THEN 'expired' END AS status,
  attempt, worker, queued_us / 1000.0 AS queued_ms, duration_us / 1000.0 AS duration_ms, error_code,
  error_message, payload, commit_sequence
  FROM outcomes;
)";

// The columns of an outcome, as read_outcome wants them first in a statement.
#define FANTAIL_OUTCOME_COLUMNS \
  "job, status, attempt, worker, queued_us, duration_us, input, error_code, error_message, payload"

Outcome read_outcome(const SqliteStatement& statement);  // its views are valid until the next step

// What an error of SQLite means for the ledger.
LedgerError ledger_error(const std::string& path, const std::string& doing, const SqliteError& error);

}  // namespace fantail
