# What the product links, all from the distribution's packages. docs/ARCHITECTURE.md gives the reason for each.
find_package(PkgConfig REQUIRED)
find_package(Protobuf REQUIRED)
find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(yaml-cpp REQUIRED)
pkg_check_modules(zeromq REQUIRED IMPORTED_TARGET libzmq)
pkg_check_modules(curl REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(icu REQUIRED IMPORTED_TARGET icu-uc)

# xxHash may be packaged with variants of XXH3 for several kinds of x86 processors.
include(CheckCXXSourceCompiles)
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::xxhash)
check_cxx_source_compiles(
  "#include <xxh_x86dispatch.h>
   int main() { return static_cast<int>(XXH3_128bits_dispatch(\"\", 0).low64); }"
  FANTAIL_XXHASH_DISPATCHES)
unset(CMAKE_REQUIRED_LIBRARIES)
if(FANTAIL_XXHASH_DISPATCHES)
  target_compile_definitions(PkgConfig::xxhash INTERFACE FANTAIL_XXHASH_DISPATCHES)
endif()
