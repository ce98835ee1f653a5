#include "ventilator/spool_reader.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

namespace fantail {

namespace {

// How far apart places in the index are: what a read out of order may have to pass over.
constexpr std::uint64_t kJobsPerPlace = 1024;
constexpr std::uint64_t kBytesPerPlace = 64 << 10;

bool read_at(int descriptor, std::string& bytes, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t got =
        pread(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

void SpoolReader::add_record(std::uint64_t offset, JobSpan jobs) {
  if (jobs.size() == 0) return;
  if (index_.empty() || jobs.end - index_.back().job > kJobsPerPlace ||
      offset - index_.back().offset > kBytesPerPlace) {
    index_.push_back({jobs.first, offset});
  }
}

bool SpoolReader::read(int descriptor, std::uint64_t seed, JobSpan jobs, proto::Column& inputs) {
  while (jobs.first < jobs.end) {
    const Record* record = find(descriptor, seed, jobs.first);
    if (record == nullptr) return false;
    const JobSpan here{jobs.first, std::min(jobs.end, record->jobs.end)};
    record->copy(here, inputs);
    jobs.first = here.end;
  }
  return true;
}

std::optional<std::uint64_t> SpoolReader::fitting(int descriptor, std::uint64_t seed, JobSpan jobs,
                                                  std::uint64_t& bytes) {
  const JobId first = jobs.first;
  while (jobs.first < jobs.end) {
    const Record* record = find(descriptor, seed, jobs.first);
    if (record == nullptr) return std::nullopt;
    const JobSpan here{jobs.first, std::min(jobs.end, record->jobs.end)};
    const std::uint64_t fits = record->fitting(here, bytes);
    jobs.first += fits;
    if (fits < here.size()) break;
  }
  return jobs.first - first;
}

const SpoolReader::Record* SpoolReader::find(int descriptor, std::uint64_t seed, JobId job) {
  for (const auto& record : latest_) {
    if (record && record->jobs.first <= job && job < record->jobs.end) {
      if (&record != &latest_.front()) std::swap(latest_.front(), latest_.back());
      return latest_.front().get();
    }
  }
  Place place = nearest_before(job);
  for (;;) {
    std::string bytes(kRecordHeaderSize, '\0');
    if (!read_at(descriptor, bytes, place.offset)) return nullptr;
    const auto header = parse_record_header(bytes, seed);
    if (!header) return nullptr;
    auto record = std::make_unique<Record>();
    record->payload.resize(header->length);
    if (!read_at(descriptor, record->payload, place.offset + kRecordHeaderSize)) return nullptr;
    if (!is_intact(*header, record->payload, seed)) return nullptr;
    record->jobs = {place.job, place.job};
    record->next_offset = place.offset + kRecordHeaderSize + header->length;
    if (!record->parse()) return nullptr;
    place = {record->jobs.end, record->next_offset};
    if (job < record->jobs.end) {
      std::swap(latest_.front(), latest_.back());
      latest_.front() = std::move(record);
      return latest_.front().get();
    }
  }
}

SpoolReader::Place SpoolReader::nearest_before(JobId job) const {
  const auto behind = std::upper_bound(index_.begin(), index_.end(), job,
                                       [](JobId wanted, const Place& place) { return wanted < place.job; });
  Place nearest = behind == index_.begin() ? Place{} : *std::prev(behind);
  for (const auto& record : latest_) {
    if (record && record->jobs.end <= job && record->jobs.end >= nearest.job &&
        record->next_offset > nearest.offset) {
      nearest = {record->jobs.end, record->next_offset};
    }
  }
  return nearest;
}

bool SpoolReader::Record::parse() {
  std::string_view rest = payload;
  while (!rest.empty()) {
    const auto entry = take_entry(rest);
    if (!entry) return false;
    if (const auto* kept = std::get_if<InputsEntry>(&*entry)) {
      Part part{{jobs.end, jobs.end + kept->count()}, *kept, {}};
      part.ends.reserve(kept->count());
      std::uint64_t end = 0;
      for (std::size_t index = 0; index < kept->lengths.size(); index += sizeof(std::uint32_t))
        part.ends.push_back(end += get_u32(kept->lengths.substr(index)));
      jobs.end = part.jobs.end;
      parts.push_back(std::move(part));
    } else if (const auto* generated = std::get_if<GeneratedEntry>(&*entry)) {
      parts.push_back({{jobs.end, jobs.end + generated->count}, *generated, {}});
      jobs.end += generated->count;
    }
  }
  return true;
}

void SpoolReader::Record::copy(JobSpan wanted, proto::Column& inputs) const {
  std::string& data = *inputs.mutable_data();
  for (const Part& part : parts) {
    const JobSpan here{std::max(wanted.first, part.jobs.first), std::min(wanted.end, part.jobs.end)};
    if (here.first >= here.end) continue;
    const std::uint64_t first = here.first - part.jobs.first, end = here.end - part.jobs.first;
    if (const auto* generated = std::get_if<GeneratedEntry>(&part.entry)) {
      for (std::uint64_t number = first; number < end; ++number) {
        const std::size_t before = data.size();
        generated->append_input(number, data);
        inputs.add_sizes(static_cast<std::uint32_t>(data.size() - before));
      }
      continue;
    }
    std::uint64_t begin = first == 0 ? 0 : part.ends[first - 1];
    data.append(std::get<InputsEntry>(part.entry).bytes.substr(begin, part.ends[end - 1] - begin));
    for (std::uint64_t number = first; number < end; ++number) {
      inputs.add_sizes(static_cast<std::uint32_t>(part.ends[number] - begin));
      begin = part.ends[number];
    }
  }
}

std::uint64_t SpoolReader::Record::fitting(JobSpan wanted, std::uint64_t& bytes) const {
  std::uint64_t fits = 0;
  for (const Part& part : parts) {
    const JobSpan here{std::max(wanted.first, part.jobs.first), std::min(wanted.end, part.jobs.end)};
    if (here.first >= here.end) continue;
    const std::uint64_t first = here.first - part.jobs.first;
    std::uint64_t number = first;
    if (const auto* generated = std::get_if<GeneratedEntry>(&part.entry)) {
      const std::uint64_t each = generated->input_size_max();
      number += std::min(here.size(), bytes / each);
      bytes -= (number - first) * each;
    } else {
      const std::uint64_t begin = first == 0 ? 0 : part.ends[first - 1];
      const auto end = part.ends.begin() + static_cast<std::ptrdiff_t>(here.end - part.jobs.first);
      const auto beyond =
          std::upper_bound(part.ends.begin() + static_cast<std::ptrdiff_t>(first), end, begin + bytes);
      number = static_cast<std::uint64_t>(beyond - part.ends.begin());
      if (number > first) bytes -= part.ends[number - 1] - begin;
    }
    fits += number - first;
    if (number - first < here.size()) break;
  }
  return fits;
}

}  // namespace fantail
