#include "sink/writers/spill_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>

#include "sink/writers/text.h"

namespace fantail {

std::optional<std::string> SpillFile::write(std::string_view line, Place& place) {
  if (!file_.is_open()) {
    if (auto error = open()) return error;
  }
  std::uint64_t written = 0;
  while (written < line.size()) {
    const ssize_t count =
        pwrite(file_.get(), line.data() + written, line.size() - written, static_cast<off_t>(end_ + written));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return error_sentence("write", count == 0 ? EIO : errno);
    written += static_cast<std::uint64_t>(count);
  }
  place = {end_, line.size()};
  end_ += line.size();
  return std::nullopt;
}

std::optional<std::string> SpillFile::read(Place place, std::string& out) const {
  const std::size_t begin = out.size();
  out.resize(begin + place.length);
  std::uint64_t filled = 0;
  while (filled < place.length) {
    const ssize_t count = pread(file_.get(), out.data() + begin + filled, place.length - filled,
                                static_cast<off_t>(place.offset + filled));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const int error_number = count == 0 ? EIO : errno;
      out.resize(begin);
      return error_sentence("read", error_number);
    }
    filled += static_cast<std::uint64_t>(count);
  }
  return std::nullopt;
}

void SpillFile::rewind() {
  end_ = 0;
  // Only gives the space back: what fails here does no harm.
  if (file_.is_open() && ftruncate(file_.get(), 0) != 0) return;
}

std::optional<std::string> SpillFile::open() {
  file_ = FileDescriptor(::open(directory_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (file_.is_open()) return std::nullopt;
  // Not every file system makes files without a name.
  std::string path = directory_ + "/.fantail-rows-XXXXXX";
  file_ = FileDescriptor(mkostemp(path.data(), O_CLOEXEC));
  if (!file_.is_open()) return error_sentence("write", errno);
  unlink(path.c_str());
  return std::nullopt;
}

std::string SpillFile::error_sentence(std::string_view verb, int error_number) const {
  return "cannot " + std::string(verb) + " the temporary file of --keep-order in " +
         escape_control(directory_) + ": " + error_text(error_number);
}

}  // namespace fantail
