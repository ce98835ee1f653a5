// Spool::open. One sync() writes one record and waits for the storage before it writes the next, so whatever
// stands behind a record proves that it was durable. A record that is not whole is therefore a write that a
// crash interrupted where nothing follows it, and damage where something does. What cannot be told apart from
// such a write: damage of the last record alone, and of the last ones when none of their headers is left.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "pipeline/app/durable.h"
#include "ventilator/spool.h"

namespace fantail {

namespace {

constexpr std::uint64_t kReadAhead = 1 << 20;

// A file's bytes by their offset, read in large pieces. After an error all views are empty.
class Window {
 public:
  Window(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  std::uint64_t size() const { return size_; }
  int error() const { return error_; }

  // Up to `wanted` bytes, fewer only at the file's end; valid until the next call.
  std::string_view view(std::uint64_t offset, std::uint64_t wanted) {
    wanted = std::min(wanted, size_ - std::min(offset, size_));
    if (offset < begin_ || offset + wanted > begin_ + bytes_.size()) load(offset, wanted);
    if (error_ != 0) return {};
    return std::string_view(bytes_).substr(offset - begin_, wanted);
  }

 private:
  void load(std::uint64_t offset, std::uint64_t wanted) {
    begin_ = offset;
    bytes_.resize(std::min(std::max(wanted, kReadAhead), size_ - offset));
    std::size_t done = 0;
    while (error_ == 0 && done < bytes_.size()) {
      const ssize_t got =
          pread(descriptor_, bytes_.data() + done, bytes_.size() - done, static_cast<off_t>(offset + done));
      if (got > 0) done += static_cast<std::size_t>(got);
      if (got == 0) error_ = EIO;  // shorter than it just was
      if (got < 0 && errno != EINTR) error_ = errno;
    }
  }

  int descriptor_;
  std::uint64_t size_;
  std::uint64_t begin_ = 0;
  std::string bytes_;
  int error_ = 0;
};

bool only_zeros(Window& file, std::uint64_t offset) {
  while (offset < file.size() && file.error() == 0) {
    const std::string_view bytes = file.view(offset, kReadAhead);
    if (bytes.find_first_not_of('\0') != std::string_view::npos) return false;
    offset += bytes.size();
  }
  return true;
}

bool has_record_behind(Window& file, std::uint64_t offset, std::uint64_t seed) {
  while (offset + kRecordHeaderSize <= file.size() && file.error() == 0) {
    const std::string_view bytes = file.view(offset, kReadAhead);
    std::size_t at = bytes.find('F');
    for (; at != std::string_view::npos && at + kRecordHeaderSize <= bytes.size();
         at = bytes.find('F', at + 1)) {
      if (parse_record_header(bytes.substr(at), seed)) return true;
    }
    // The last bytes again: a header may lie across the end.
    if (bytes.size() < kRecordHeaderSize) break;
    offset += bytes.size() - kRecordHeaderSize + 1;
  }
  return false;
}

enum class Piece : std::uint8_t { kRecord, kTorn, kDamaged, kForeign };

// What stands where the next record should be. Requires: the offset is before the file's end.
Piece judge(Window& file, std::uint64_t offset, const RecordChain& chain, RecordHeader& header) {
  const std::string_view bytes = file.view(offset, kRecordHeaderSize);
  if (bytes.size() < kRecordHeaderSize) return Piece::kTorn;
  const auto parsed = parse_record_header(bytes, chain.seed);
  if (!parsed) return has_record_behind(file, offset + 1, chain.seed) ? Piece::kDamaged : Piece::kTorn;
  if (!chain.continued_by(*parsed)) return Piece::kForeign;
  header = *parsed;
  if (is_intact(header, file.view(offset + kRecordHeaderSize, header.length), chain.seed))
    return Piece::kRecord;
  return only_zeros(file, offset + kRecordHeaderSize + header.length) ? Piece::kTorn : Piece::kDamaged;
}

std::string damage(const std::string& path, std::uint64_t offset, const std::string& what) {
  return path + ": the record at byte " + std::to_string(offset) + " " + what +
         "; nothing was changed. Put a good copy of the file there, or remove its folder and start the run "
         "anew";
}

}  // namespace

std::variant<Spool, std::string> Spool::open(const std::string& folder) {
  const std::string path = folder + "/spool";
  FileDescriptor file(open_private_file(path, O_RDWR));
  if (!file.is_open()) {
    return "cannot open " + path + ": " + error_text(errno) + "; is " + folder + " the folder of a run?";
  }
  Spool spool(path, std::move(file));
  if (auto error = spool.recover()) return *error;
  // Its process may not have lived to make its name durable.
  if (auto error = sync_folder(folder)) return *error;
  return spool;
}

std::optional<std::string> Spool::recover() {
  struct stat status = {};
  if (fstat(file_.get(), &status) != 0) return "cannot read " + path_ + ": " + error_text(errno);
  Window file(file_.get(), static_cast<std::uint64_t>(status.st_size));
  std::uint64_t last_record = 0;
  bool torn = false;
  while (end_ < file.size() && !torn) {
    RecordHeader header;
    const Piece piece = judge(file, end_, chain_, header);
    const std::string_view payload =
        piece == Piece::kRecord ? file.view(end_ + kRecordHeaderSize, header.length) : std::string_view();
    if (file.error() != 0) {
      return "cannot read " + path_ + ": " + error_text(file.error()) + "; check that disk";
    }
    if (piece == Piece::kForeign) return damage(path_, end_, "is not the one that belongs there");
    if (piece == Piece::kDamaged || (piece == Piece::kTorn && end_ == 0)) {
      return damage(path_, end_, "is damaged");
    }
    torn = piece == Piece::kTorn;
    if (torn) break;
    if (end_ == 0) {
      std::string_view rest = payload;
      auto first = take_entry(rest);
      if (const auto* newer = first ? std::get_if<NewerFormat>(&*first) : nullptr) {
        return path_ + " has the format " + std::to_string(newer->version) +
               " of a newer fantail; this one knows " + std::to_string(kSpoolVersion) +
               ": continue the run with that version";
      }
      if (!first || !std::holds_alternative<SpoolRun>(*first) || !rest.empty()) {
        return damage(path_, end_, "does not say whose run it is");
      }
      run_ = std::get<SpoolRun>(std::move(*first));
    } else if (!apply_record(payload)) {
      return damage(path_, end_, "says what this version of fantail does not know");
    }
    chain_.advance(header);
    reader_.add_record(end_, {durable_, jobs_});
    durable_ = jobs_;
    last_record = end_;
    end_ += kRecordHeaderSize + header.length;
  }
  if (end_ == 0) return damage(path_, 0, "is missing");
  frontier_ = std::min(frontier_, jobs_);
  return settle_tail(last_record, file.view(last_record, end_ - last_record), file.size());
}

std::optional<std::string> Spool::settle_tail(std::uint64_t last_record, std::string_view last_bytes,
                                              std::uint64_t file_size) {
  int error_number = last_bytes.size() == end_ - last_record ? 0 : EIO;
  if (error_number == 0 && end_ < file_size) error_number = truncate_file(file_.get(), end_);
  // The last record may never have reached the storage although it can be read: its process may have died
  // before it synced, or because that failed, after which the kernel takes what is in memory for written.
  if (error_number == 0) error_number = write_all_at(file_.get(), last_bytes, last_record);
  if (error_number == 0) error_number = sync_file(file_.get());
  if (error_number != 0) {
    return "cannot write " + path_ + ": " + error_text(error_number) + "; check that disk, and try again";
  }
  if (end_ < file_size) {
    cut_ = path_ + ": a crash interrupted its last write; the " + std::to_string(file_size - end_) +
           " bytes from byte " + std::to_string(end_) + " on were no whole record and have been cut off";
  }
  return std::nullopt;
}

}  // namespace fantail
