#include "ventilator/sources/products.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "pipeline/job_line.h"
#include "pipeline/price_input.h"

namespace fantail {

namespace {

std::string line_for(const std::string& line, const JobLine& job, const std::string& vendor) {
  nlohmann::ordered_json object = nlohmann::ordered_json::parse(line);
  object["input"] = join_price_input(job.input, vendor);
  if (job.group.empty()) object["group"] = job.input;
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

class ProductSource : public Source {
 public:
  ProductSource(std::unique_ptr<Source> products, std::vector<std::string> vendors, proto::InputFormat format)
      : products_(std::move(products)), vendors_(std::move(vendors)), format_(format) {}

  std::variant<SourceStatus, SourceError> read(std::size_t limit, std::vector<std::string>& inputs) override {
    if (next_ == ready_.size()) {
      ready_.clear();
      next_ = 0;
      std::vector<std::string> products;
      auto status = products_->read(std::max<std::size_t>(limit / vendors_.size(), 1), products);
      if (std::holds_alternative<SourceError>(status)) return status;
      ended_ = std::get<SourceStatus>(status) == SourceStatus::kEnd;
      for (const std::string& product : products)
        add(product);
    }
    const std::size_t count = std::min(limit, ready_.size() - next_);
    const auto from = std::next(ready_.begin(), static_cast<std::ptrdiff_t>(next_));
    std::move(from, std::next(from, static_cast<std::ptrdiff_t>(count)), std::back_inserter(inputs));
    next_ += count;
    return ended_ && next_ == ready_.size() ? SourceStatus::kEnd : SourceStatus::kMore;
  }
  void interrupt() override { products_->interrupt(); }

 private:
  void add(const std::string& submitted) {
    const auto read = read_job(submitted, format_);
    const auto* job = std::get_if<JobLine>(&read);
    if (job == nullptr) {
      ready_.push_back(submitted);
      return;
    }
    for (const std::string& vendor : vendors_) {
      ready_.push_back(format_ == proto::INPUT_JOB_LINE ? line_for(submitted, *job, vendor)
                                                        : join_price_input(job->input, vendor));
    }
  }

  std::unique_ptr<Source> products_;
  std::vector<std::string> vendors_;
  proto::InputFormat format_;
  std::vector<std::string> ready_;
  std::size_t next_ = 0;  // in ready_
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<Source> make_product_source(std::unique_ptr<Source> products,
                                            std::vector<std::string> vendors, proto::InputFormat format) {
  return std::make_unique<ProductSource>(std::move(products), std::move(vendors), format);
}

}  // namespace fantail
