#include "ventilator/sources/list.h"

#include <cassert>
#include <utility>

namespace fantail {
namespace {

class ListSource : public Source {
 public:
  explicit ListSource(std::vector<std::string> inputs) : inputs_(std::move(inputs)) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override {
    assert(limit > 0);
    for (; limit > 0 && next_ < inputs_.size(); --limit)
      inputs.push_back(std::move(inputs_[next_++]));
    return next_ < inputs_.size() ? SourceStatus::kMore : SourceStatus::kEnd;
  }

 private:
  std::vector<std::string> inputs_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Source> make_list_source(std::vector<std::string> inputs) {
  return std::make_unique<ListSource>(std::move(inputs));
}

}  // namespace fantail
