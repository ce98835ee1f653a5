// Files that are still there after a power cut. Every function returns only when what it did is on storage.
// Errors are sentences that name the file and the reason. A failed fsync is never tried again: the kernel
// reports an error once and then says that all is well, without the data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace fantail {

// open(2) with these flags, continued when interrupted; a file that it makes is for this user alone. -1: see
// errno.
int open_private_file(const std::string& path, int flags);

// Writes all bytes at an offset, continuing interrupted and short writes; the file must not be in append
// mode. The answer is an errno, 0 when everything was written. Does not wait for the storage.
int write_all_at(int descriptor, std::string_view bytes, std::uint64_t offset);

// ftruncate, fsync and fdatasync, continued when interrupted; the answer is an errno, 0 when it was done.
int truncate_file(int descriptor, std::uint64_t size);
int sync_file(int descriptor);
int sync_file_content(int descriptor);

// A reader, also one after a power cut, finds the old content or the new one and nothing between. Uses
// PATH.tmp, so one writer at a time: hold a lock.
std::optional<std::string> replace_file_durably(const std::string& path, std::string_view bytes);

// After a file was made, renamed or removed in the folder.
std::optional<std::string> sync_folder(const std::string& path);

// mkdir -p, for this user alone.
std::optional<std::string> make_folder_durably(const std::string& path);

// A number that grows from call to call, whatever happens to the processes or to the clock, kept in
// STATE_DIR/epoch: the wall clock's microseconds, or one more than the last one where the clock is behind
// that. Any number of processes may ask at the same time. Requires: the folder exists.
std::variant<std::uint64_t, std::string> next_epoch(const std::string& state_dir);

}  // namespace fantail
