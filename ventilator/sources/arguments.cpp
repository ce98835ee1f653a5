#include "ventilator/sources/arguments.h"

#include <cassert>
#include <utility>

#include "pipeline/exec_command.h"
#include "ventilator/sources/lines.h"
#include "ventilator/sources/list.h"

namespace fantail {
namespace {

constexpr std::size_t kArgumentsAtOnce = 1024;

using Arguments = std::vector<std::string>;

// Takes the arguments of one list one by one.
class ListReader {
 public:
  explicit ListReader(std::unique_ptr<Source> source) : source_(std::move(source)) {}

  // Empty: there are no more.
  std::variant<std::optional<std::string>, SourceError> next() {
    while (!has_next() && !ended_) {
      read_.clear();
      next_ = 0;
      auto status = source_->read(kArgumentsAtOnce, read_);
      if (auto* error = std::get_if<SourceError>(&status)) return std::move(*error);
      ended_ = std::get<SourceStatus>(status) == SourceStatus::kEnd;
    }
    if (!has_next()) return std::nullopt;
    return std::move(read_[next_++]);
  }
  bool has_next() const { return next_ < read_.size(); }  // without having to wait for it
  void interrupt() { source_->interrupt(); }

 private:
  std::unique_ptr<Source> source_;
  Arguments read_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

// Lists that advance together.
class LinkedLists {
 public:
  void add(std::unique_ptr<Source> source) { readers_.emplace_back(std::move(source)); }

  // One argument of each list; empty: the shortest has no more.
  std::variant<std::optional<Arguments>, SourceError> next() {
    Arguments row;
    for (ListReader& reader : readers_) {
      auto argument = reader.next();
      if (auto* error = std::get_if<SourceError>(&argument)) return std::move(*error);
      auto& text = std::get<std::optional<std::string>>(argument);
      if (!text) return std::nullopt;
      row.push_back(std::move(*text));
    }
    return row;
  }
  bool has_next() const {
    for (const ListReader& reader : readers_) {
      if (!reader.has_next()) return false;
    }
    return true;
  }
  void interrupt() {
    for (ListReader& reader : readers_)
      reader.interrupt();
  }

 private:
  std::vector<ListReader> readers_;
};

class ArgumentSource : public Source {
 public:
  ArgumentSource(std::vector<LinkedLists> groups, bool splits)
      : groups_(std::move(groups)), held_(groups_.size()), chosen_(groups_.size()), splits_(splits) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override;
  void interrupt() override {
    for (LinkedLists& group : groups_)
      group.interrupt();
  }

 private:
  std::optional<SourceError> hold();
  std::optional<SourceError> refuse(const Arguments& row) const;
  std::string combination() const;
  void advance();

  std::vector<LinkedLists> groups_;
  std::vector<std::vector<Arguments>> held_;  // of the groups behind the first
  std::vector<std::size_t> chosen_;           // which of them come next
  std::optional<Arguments> first_;            // the first group's part of what comes next
  bool splits_;                               // inputs have several arguments
  bool holds_ = false;
};

std::variant<SourceStatus, SourceError> ArgumentSource::read(std::size_t limit,
                                                             std::vector<std::string>& inputs) {
  assert(limit > 0);
  if (!std::exchange(holds_, true)) {
    if (auto error = hold()) return std::move(*error);
  }
  for (std::size_t index = 1; index < held_.size(); ++index) {
    if (held_[index].empty()) return SourceStatus::kEnd;
  }
  const std::size_t before = inputs.size();
  while (inputs.size() < before + limit) {
    if (!first_) {
      // What is there does not wait for what is not.
      if (inputs.size() > before && !groups_.front().has_next()) break;
      auto row = groups_.front().next();
      if (auto* error = std::get_if<SourceError>(&row)) return std::move(*error);
      first_ = std::move(std::get<std::optional<Arguments>>(row));
      if (!first_) return SourceStatus::kEnd;
      if (auto error = refuse(*first_)) return std::move(*error);
    }
    inputs.push_back(combination());
    advance();
  }
  return SourceStatus::kMore;
}

std::optional<SourceError> ArgumentSource::hold() {
  for (std::size_t index = 1; index < groups_.size(); ++index) {
    for (;;) {
      auto row = groups_[index].next();
      if (auto* error = std::get_if<SourceError>(&row)) return std::move(*error);
      auto& arguments = std::get<std::optional<Arguments>>(row);
      if (!arguments) break;
      if (auto error = refuse(*arguments)) return error;
      held_[index].push_back(std::move(*arguments));
    }
  }
  return std::nullopt;
}

std::optional<SourceError> ArgumentSource::refuse(const Arguments& row) const {
  for (const std::string& argument : row) {
    if (argument.find('\0') != std::string::npos)
      return SourceError{"an argument has a NUL byte, which no process can be given: " +
                         shell_quoted(argument) + "; with -0 NUL bytes separate arguments"};
    if (splits_ && argument.find('\t') != std::string::npos)
      return SourceError{
          "an argument has a tab, which separates the arguments of a job where there are several "
          "sources of them: " +
          shell_quoted(argument) + "; take the tab out, or give one source"};
  }
  return std::nullopt;
}

std::string ArgumentSource::combination() const {
  Arguments arguments = *first_;
  for (std::size_t index = 1; index < held_.size(); ++index) {
    const Arguments& row = held_[index][chosen_[index]];
    arguments.insert(arguments.end(), row.begin(), row.end());
  }
  return join_arguments(arguments);
}

void ArgumentSource::advance() {
  for (std::size_t index = held_.size() - 1; index > 0; --index) {
    if (++chosen_[index] < held_[index].size()) return;
    chosen_[index] = 0;
  }
  first_.reset();
}

}  // namespace

std::variant<std::unique_ptr<Source>, SourceError> make_argument_source(std::vector<ArgumentList> lists,
                                                                        char delimiter) {
  assert(!lists.empty() && !lists.front().linked);
  std::vector<LinkedLists> groups;
  for (ArgumentList& list : lists) {
    std::unique_ptr<Source> source;
    if (list.path) {
      auto opened = make_line_source(*list.path, LineFormat{delimiter, false, true, list.flag});
      if (auto* error = std::get_if<SourceError>(&opened)) return std::move(*error);
      source = std::move(std::get<std::unique_ptr<Source>>(opened));
    } else {
      source = make_list_source(std::move(list.words));
    }
    if (!list.linked) groups.emplace_back();
    groups.back().add(std::move(source));
  }
  return std::make_unique<ArgumentSource>(std::move(groups), lists.size() > 1);
}

}  // namespace fantail
