// The bytes of a spool's file: records, one behind the other, each the whole of what one sync() wrote.
//
//   u32 magic "FSPL"
//   u32 length of the payload
//   u64 sequence: 0, 1, 2 ...
//   u64 header checksum of the record before, 0 in the first one
//   u64 checksum of the payload
//   u64 header checksum: of the 32 bytes above
//   payload: entries, see SpoolEntry
//
// All numbers are little-endian. Checksums are XXH3, 64 bits, seeded with the header checksum of the file's
// first record (in the first one itself with 0), so records of other files and inputs that look like records
// are never taken for records of this one. The first record keeps its form in every version of the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pipeline/range_set.h"
#include "ventilator/stop_decision.h"

namespace fantail {

constexpr std::uint32_t kSpoolVersion = 1;
constexpr std::size_t kRecordHeaderSize = 40;
constexpr std::size_t kRecordPayloadMax = 0xFFFF'FFFF;
constexpr std::size_t kInputsHashSize = 16;

struct SpoolRun {
  std::string run_id;    // 16 bytes
  std::string identity;  // 16 bytes: a hash of the command
  std::string command;   // as typed, for people
  std::string spec;      // a serialized proto::RunSpec

  bool operator==(const SpoolRun&) const = default;
};

struct RecordHeader {
  std::uint32_t length = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous = 0;
  std::uint64_t payload_checksum = 0;
  std::uint64_t checksum = 0;
};

// What the next record continues.
struct RecordChain {
  std::uint64_t seed = 0;
  std::uint64_t sequence = 0;
  std::uint64_t previous = 0;

  // Header and payload of the next record, and the chain behind it. Requires: the payload is not too long.
  std::string seal(std::string_view payload);
  // Whether this is the next record. Requires: the header itself is intact.
  bool continued_by(const RecordHeader& header) const;
  void advance(const RecordHeader& header);
};

// Empty unless these bytes begin with an intact header.
std::optional<RecordHeader> parse_record_header(std::string_view bytes, std::uint64_t seed);
bool is_intact(const RecordHeader& header, std::string_view payload, std::uint64_t seed);

// ---- entries; the views are into the payload

struct InputsEntry {
  std::string_view lengths;  // u32 each
  std::string_view bytes;    // all inputs, one behind the other
  std::string_view hash;     // the rolling hash behind them

  std::uint64_t count() const { return lengths.size() / sizeof(std::uint32_t); }
};
// Inputs that are not kept but made: the number within this entry, filled up with '.' to payload_bytes.
struct GeneratedEntry {
  std::uint64_t count = 0;
  std::uint64_t payload_bytes = 0;
  std::string_view hash;

  void append_input(std::uint64_t number, std::string& bytes) const;
  std::uint64_t input_size_max() const;
};
struct ClosedEntry {
  bool complete = false;
  std::uint64_t skipped = 0;
};
struct FrontierEntry {
  JobId job = 0;
};
struct DeathsEntry {
  bool alone = false;
  std::vector<JobId> jobs;
};
struct AcknowledgedEntry {};
struct NewerFormat {
  std::uint32_t version = 0;
};

using SpoolEntry = std::variant<SpoolRun, NewerFormat, InputsEntry, GeneratedEntry, ClosedEntry,
                                FrontierEntry, DeathsEntry, StopDecision, AcknowledgedEntry>;

void put_run(std::string& payload, const SpoolRun& run);
void put_inputs(std::string& payload, const InputsEntry& inputs);
void put_generated(std::string& payload, const GeneratedEntry& generated);
void put_closed(std::string& payload, const ClosedEntry& closed);
void put_frontier(std::string& payload, const FrontierEntry& frontier);
void put_deaths(std::string& payload, const DeathsEntry& deaths);
void put_stop(std::string& payload, const StopDecision& stop);
void put_acknowledged(std::string& payload);

// Takes the next entry off the payload's front; empty when it is none.
std::optional<SpoolEntry> take_entry(std::string_view& payload);

void put_u32(std::string& bytes, std::uint32_t value);
std::uint32_t get_u32(std::string_view bytes);

// ---- the rolling hash over all inputs: XXH3-128(hash before || u64 length || input)

std::string first_inputs_hash();
void roll_inputs_hash(std::string& hash, std::string_view input);
// A generator counts as its parameters.
void roll_inputs_hash(std::string& hash, const GeneratedEntry& generated);

}  // namespace fantail
