#include "sink/ledger_tables.h"

#include <sqlite3.h>

#include <cerrno>

#include "pipeline/app/file_descriptor.h"

namespace fantail {

namespace {

LedgerFault fault_of(const SqliteError& error) {
  switch (error.code & 0xFF) {
    case SQLITE_FULL:
      return LedgerFault::kNoSpace;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return LedgerFault::kBusy;
    case SQLITE_IOERR: {
      // SQLite tells SQLITE_FULL of ENOSPC alone, and no errno where it cannot make its index of the log
      // larger, which holds nothing that must last. A failed fsync is fatal whatever its reason: what the
      // kernel still had to write is gone, and the next fsync would succeed.
      const bool is_index = error.code == SQLITE_IOERR_SHMSIZE;
      const bool is_write = is_index || error.code == SQLITE_IOERR_WRITE;
      const bool lacks_space = error.system_errno == ENOSPC || error.system_errno == EDQUOT ||
                               (is_index && error.system_errno == 0);
      return is_write && lacks_space ? LedgerFault::kNoSpace : LedgerFault::kFatal;
    }
    default:
      return LedgerFault::kFatal;
  }
}

std::string way_out(const SqliteError& error) {
  switch (error.code & 0xFF) {
    case SQLITE_IOERR:
      return "; check the storage, then start the sink again";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "; the file is damaged: put a copy in its place, or start the run anew";
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return "; the sink must be able to read and write the file and its folder";
    case SQLITE_CONSTRAINT:
      return "; this is a defect, and nothing of it was written";
    default:
      return "";
  }
}

}  // namespace

Outcome read_outcome(const SqliteStatement& statement) {
  Outcome outcome;
  outcome.job = statement.integer(0);
  outcome.status = static_cast<Status>(statement.integer(1));
  outcome.attempt = static_cast<std::uint32_t>(statement.integer(2));
  outcome.worker = statement.bytes(3);
  outcome.queued_us = statement.integer(4);
  outcome.duration_us = statement.integer(5);
  outcome.input = statement.bytes(6);
  outcome.error_code = statement.bytes(7);
  outcome.error_message = statement.bytes(8);
  outcome.payload = statement.bytes(9);
  return outcome;
}

LedgerError ledger_error(const std::string& path, const std::string& doing, const SqliteError& error) {
  const LedgerFault fault = fault_of(error);
  std::string message = path + " cannot be " + doing + ": ";
  if (fault == LedgerFault::kNoSpace) {
    message += "no space is left for it; make room, and it goes on";
  } else if (fault == LedgerFault::kBusy) {
    message += "another process is writing in it; end that one, and it goes on";
  } else {
    message += error.text;
    if (error.system_errno != 0 && (error.code & 0xFF) == SQLITE_IOERR)
      message += " (" + error_text(error.system_errno) + ")";
    message += way_out(error);
  }
  const int primary = error.code & 0xFF;
  return {fault, std::move(message), primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB};
}

}  // namespace fantail
