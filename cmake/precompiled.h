// The headers of others that take longest to read. Only builds with FANTAIL_PRECOMPILE see this file; what a
// source file needs it includes itself.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "books.pb.h"
#include "kinds.pb.h"
#include "ledger.pb.h"
#include "messages.pb.h"
