#include "sink/kinds/kind.h"

#include "kinds.pb.h"
#include "sink/kinds/echo.h"
#include "sink/kinds/exec.h"
#include "sink/kinds/files.h"
#include "sink/kinds/job_lines.h"
#include "sink/kinds/map.h"
#include "sink/kinds/prices.h"
#include "sink/kinds/urls.h"

namespace fantail {

namespace {

std::unique_ptr<Kind> make_plain_kind(const proto::KindSpec& spec) {
  switch (spec.kind_case()) {
    case proto::KindSpec::kFiles:
      return make_files_kind(spec.files());
    case proto::KindSpec::kUrls:
      return make_urls_kind();
    case proto::KindSpec::kPrices:
      return make_prices_kind();
    case proto::KindSpec::kEcho:
      return make_echo_kind();
    case proto::KindSpec::kExec:
      return make_exec_kind(spec.exec());
    case proto::KindSpec::kMap:
      return make_map_kind(spec.map());
    case proto::KindSpec::KIND_NOT_SET:
      break;
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<Kind> make_kind(const proto::KindSpec& spec) {
  std::unique_ptr<Kind> kind = make_plain_kind(spec);
  if (kind && spec.input_format() == proto::INPUT_JOB_LINE) return make_job_lines_kind(std::move(kind));
  return kind;
}

}  // namespace fantail
