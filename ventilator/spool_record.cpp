#include "ventilator/spool_record.h"

#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <charconv>
#include <limits>

namespace fantail {

namespace {

constexpr std::uint32_t kMagic = 0x4C505346;  // "FSPL"
constexpr std::size_t kHeaderChecked = 32;
constexpr std::size_t kIdSize = 16;

enum class Tag : std::uint8_t {
  kRun = 1,
  kInputs = 2,
  kGenerated = 3,
  kClosed = 4,
  kFrontier = 5,
  kDeaths = 6,
  kAcknowledged = 7,
  kStop = 8
};

template <typename Number>
void put_number(std::string& bytes, Number value) {
  for (std::size_t index = 0; index < sizeof(Number); ++index)
    bytes.push_back(static_cast<char>((value >> (8 * index)) & 0xFF));
}

template <typename Number>
Number get_number(std::string_view bytes) {
  assert(bytes.size() >= sizeof(Number));
  Number value = 0;
  for (std::size_t index = 0; index < sizeof(Number); ++index)
    value |=
        static_cast<Number>(static_cast<Number>(static_cast<unsigned char>(bytes[index])) << (8 * index));
  return value;
}

void put_tag(std::string& payload, Tag tag) {
  payload.push_back(static_cast<char>(tag));
}

std::uint64_t checksum_of(std::string_view bytes, std::uint64_t seed) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

// Takes fields off the front; once one is missing, all that follow are empty.
class Fields {
 public:
  explicit Fields(std::string_view bytes) : bytes_(bytes) {}

  bool complete() const { return complete_; }
  std::string_view rest() const { return bytes_; }

  std::string_view take(std::uint64_t size) {
    complete_ = complete_ && size <= bytes_.size();
    if (!complete_) return {};
    const std::string_view taken = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return taken;
  }
  template <typename Number>
  Number number() {
    const std::string_view taken = take(sizeof(Number));
    return complete_ ? get_number<Number>(taken) : Number{0};
  }

 private:
  std::string_view bytes_;
  bool complete_ = true;
};

SpoolEntry take_run(Fields& fields) {
  const auto version = fields.number<std::uint32_t>();
  if (version > kSpoolVersion) return NewerFormat{version};
  SpoolRun run;
  run.run_id = fields.take(kIdSize);
  run.identity = fields.take(kIdSize);
  run.command = fields.take(fields.number<std::uint32_t>());
  run.spec = fields.take(fields.number<std::uint32_t>());
  return run;
}

std::optional<SpoolEntry> take_inputs(Fields& fields) {
  InputsEntry inputs;
  const auto count = fields.number<std::uint32_t>();
  const auto size = fields.number<std::uint64_t>();
  inputs.lengths = fields.take(std::uint64_t{count} * sizeof(std::uint32_t));
  inputs.bytes = fields.take(size);
  inputs.hash = fields.take(kInputsHashSize);
  if (!fields.complete()) return std::nullopt;
  std::uint64_t sum = 0;
  for (std::size_t index = 0; index < inputs.lengths.size(); index += sizeof(std::uint32_t))
    sum += get_u32(inputs.lengths.substr(index));
  if (sum != inputs.bytes.size()) return std::nullopt;
  return inputs;
}

SpoolEntry take_generated(Fields& fields) {
  GeneratedEntry generated;
  generated.count = fields.number<std::uint64_t>();
  generated.payload_bytes = fields.number<std::uint64_t>();
  generated.hash = fields.take(kInputsHashSize);
  return generated;
}

SpoolEntry take_closed(Fields& fields) {
  ClosedEntry closed;
  closed.complete = fields.number<std::uint8_t>() != 0;
  closed.skipped = fields.number<std::uint64_t>();
  return closed;
}

SpoolEntry take_deaths(Fields& fields) {
  DeathsEntry deaths;
  deaths.alone = fields.number<std::uint8_t>() != 0;
  const auto count = fields.number<std::uint32_t>();
  for (std::uint32_t index = 0; index < count && fields.complete(); ++index)
    deaths.jobs.push_back(fields.number<std::uint64_t>());
  return deaths;
}

std::optional<SpoolEntry> take_stop(Fields& fields) {
  StopDecision stop;
  const auto level = fields.number<std::uint8_t>();
  const auto end = fields.number<std::uint8_t>();
  stop.reason = fields.take(fields.number<std::uint32_t>());
  if (!proto::StopLevel_IsValid(level) || !proto::RunEnd_IsValid(end)) return std::nullopt;
  stop.level = static_cast<proto::StopLevel>(level);
  stop.end = static_cast<proto::RunEnd>(end);
  return stop;
}

void roll(std::string& hash, std::string& bytes) {
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  hash.assign(reinterpret_cast<const char*>(canonical.digest), sizeof(canonical.digest));
}

}  // namespace

std::string RecordChain::seal(std::string_view payload) {
  assert(payload.size() <= kRecordPayloadMax);
  std::string record;
  record.reserve(kRecordHeaderSize + payload.size());
  put_number<std::uint32_t>(record, kMagic);
  put_number<std::uint32_t>(record, static_cast<std::uint32_t>(payload.size()));
  put_number<std::uint64_t>(record, sequence);
  put_number<std::uint64_t>(record, previous);
  put_number<std::uint64_t>(record, checksum_of(payload, seed));
  put_number<std::uint64_t>(record, checksum_of(record, seed));
  advance(*parse_record_header(record, seed));
  record += payload;
  return record;
}

bool RecordChain::continued_by(const RecordHeader& header) const {
  return header.sequence == sequence && header.previous == previous;
}

void RecordChain::advance(const RecordHeader& header) {
  if (header.sequence == 0) seed = header.checksum;
  sequence = header.sequence + 1;
  previous = header.checksum;
}

std::optional<RecordHeader> parse_record_header(std::string_view bytes, std::uint64_t seed) {
  if (bytes.size() < kRecordHeaderSize || get_number<std::uint32_t>(bytes) != kMagic) return std::nullopt;
  RecordHeader header;
  header.length = get_number<std::uint32_t>(bytes.substr(4));
  header.sequence = get_number<std::uint64_t>(bytes.substr(8));
  header.previous = get_number<std::uint64_t>(bytes.substr(16));
  header.payload_checksum = get_number<std::uint64_t>(bytes.substr(24));
  header.checksum = get_number<std::uint64_t>(bytes.substr(kHeaderChecked));
  if (checksum_of(bytes.substr(0, kHeaderChecked), seed) != header.checksum) return std::nullopt;
  return header;
}

bool is_intact(const RecordHeader& header, std::string_view payload, std::uint64_t seed) {
  return payload.size() == header.length && checksum_of(payload, seed) == header.payload_checksum;
}

std::uint64_t GeneratedEntry::input_size_max() const {
  constexpr std::uint64_t kDigitsMax = std::numeric_limits<std::uint64_t>::digits10 + 1;
  return std::max(kDigitsMax, payload_bytes);
}

void GeneratedEntry::append_input(std::uint64_t number, std::string& bytes) const {
  std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> digits;
  const char* const end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  bytes.append(digits.data(), size);
  if (size < payload_bytes) bytes.append(payload_bytes - size, '.');
}

void put_run(std::string& payload, const SpoolRun& run) {
  assert(run.run_id.size() == kIdSize && run.identity.size() == kIdSize);
  put_tag(payload, Tag::kRun);
  put_number(payload, kSpoolVersion);
  payload += run.run_id;
  payload += run.identity;
  put_number(payload, static_cast<std::uint32_t>(run.command.size()));
  payload += run.command;
  put_number(payload, static_cast<std::uint32_t>(run.spec.size()));
  payload += run.spec;
}

void put_inputs(std::string& payload, const InputsEntry& inputs) {
  put_tag(payload, Tag::kInputs);
  put_number(payload, static_cast<std::uint32_t>(inputs.count()));
  put_number(payload, std::uint64_t{inputs.bytes.size()});
  payload += inputs.lengths;
  payload += inputs.bytes;
  payload += inputs.hash;
}

void put_generated(std::string& payload, const GeneratedEntry& generated) {
  put_tag(payload, Tag::kGenerated);
  put_number(payload, generated.count);
  put_number(payload, generated.payload_bytes);
  payload += generated.hash;
}

void put_closed(std::string& payload, const ClosedEntry& closed) {
  put_tag(payload, Tag::kClosed);
  put_number(payload, static_cast<std::uint8_t>(closed.complete));
  put_number(payload, closed.skipped);
}

void put_frontier(std::string& payload, const FrontierEntry& frontier) {
  put_tag(payload, Tag::kFrontier);
  put_number(payload, frontier.job);
}

void put_deaths(std::string& payload, const DeathsEntry& deaths) {
  put_tag(payload, Tag::kDeaths);
  put_number(payload, static_cast<std::uint8_t>(deaths.alone));
  put_number(payload, static_cast<std::uint32_t>(deaths.jobs.size()));
  for (const JobId job : deaths.jobs)
    put_number(payload, job);
}

void put_stop(std::string& payload, const StopDecision& stop) {
  put_tag(payload, Tag::kStop);
  put_number(payload, static_cast<std::uint8_t>(stop.level));
  put_number(payload, static_cast<std::uint8_t>(stop.end));
  put_number(payload, static_cast<std::uint32_t>(stop.reason.size()));
  payload += stop.reason;
}

void put_acknowledged(std::string& payload) {
  put_tag(payload, Tag::kAcknowledged);
}

std::optional<SpoolEntry> take_entry(std::string_view& payload) {
  Fields fields(payload);
  std::optional<SpoolEntry> entry;
  switch (static_cast<Tag>(fields.number<std::uint8_t>())) {
    case Tag::kRun:
      entry = take_run(fields);
      break;
    case Tag::kInputs:
      entry = take_inputs(fields);
      break;
    case Tag::kGenerated:
      entry = take_generated(fields);
      break;
    case Tag::kClosed:
      entry = take_closed(fields);
      break;
    case Tag::kFrontier:
      entry = FrontierEntry{fields.number<std::uint64_t>()};
      break;
    case Tag::kDeaths:
      entry = take_deaths(fields);
      break;
    case Tag::kAcknowledged:
      entry = AcknowledgedEntry{};
      break;
    case Tag::kStop:
      entry = take_stop(fields);
      break;
    default:
      return std::nullopt;
  }
  if (!fields.complete()) return std::nullopt;
  payload = fields.rest();
  return entry;
}

void put_u32(std::string& bytes, std::uint32_t value) {
  put_number(bytes, value);
}

std::uint32_t get_u32(std::string_view bytes) {
  return get_number<std::uint32_t>(bytes);
}

std::string first_inputs_hash() {
  return std::string(kInputsHashSize, '\0');
}

void roll_inputs_hash(std::string& hash, std::string_view input) {
  thread_local std::string bytes;  // reused: this runs once per input
  bytes = hash;
  put_number(bytes, std::uint64_t{input.size()});
  bytes += input;
  roll(hash, bytes);
}

void roll_inputs_hash(std::string& hash, const GeneratedEntry& generated) {
  std::string bytes = hash;
  // No input has this length.
  put_number(bytes, std::numeric_limits<std::uint64_t>::max());
  put_number(bytes, generated.count);
  put_number(bytes, generated.payload_bytes);
  roll(hash, bytes);
}

}  // namespace fantail
