# shellcheck shell=bash disable=SC2034
# What fantail needs of Debian 12, and how to install what is missing. Sourced by ./quickstart, ./check and the containers stage.

BUILD_PACKAGES=(g++ cmake ninja-build pkg-config protobuf-compiler libprotobuf-dev libzmq3-dev cppzmq-dev libspdlog-dev
  libcli11-dev nlohmann-json3-dev libssl-dev libyaml-cpp-dev libcurl4-openssl-dev libxxhash-dev libicu-dev
  libsqlite3-dev)
SERVER_PACKAGES=(nginx-light)
TEST_PACKAGES=(libgtest-dev clang clang-format clang-tidy libclang-rt-14-dev shellcheck python3 python3-xxhash xxhash sqlite3
  "${SERVER_PACKAGES[@]}")
POWER_PACKAGES=(e2fsprogs)
CONTAINER_PACKAGES=(docker.io docker-compose debootstrap iptables)
RUNTIME_PACKAGES=(libprotobuf-lite32 libzmq5 libspdlog1.10 libfmt9 libssl3 libyaml-cpp0.7 libcurl4 libxxhash0 libicu72
  libsqlite3-0 ca-certificates)

# Prints the packages of the arguments that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^.i' || printf '%s\n' "$package"
  done
}

# Installs what is missing of the arguments. Starts no services. Without apt it names the packages and goes on.
install_packages() {
  if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
    printf 'There is no apt here. fantail needs what Debian calls: %s\nGoing on with what is installed.\n' "$*"
    return 0
  fi
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ "${#missing[@]}" -eq 0 ]; then return 0; fi
  local line="apt-get install -y --no-install-recommends ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then root=(sudo); fi
  printf 'Missing packages: %s\nInstalling them: %s%s\n' "${missing[*]}" "${root[*]:+sudo }" "$line"
  # Debian's packages start their services unless this file says no.
  local policy=/usr/sbin/policy-rc.d made_policy=
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${root[@]}" tee "$policy" >/dev/null
    "${root[@]}" chmod +x "$policy"
    made_policy=yes
  fi
  local log status=0
  log=$(mktemp)
  { "${root[@]}" apt-get update -qq &&
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"; } \
    >"$log" 2>&1 </dev/null || status=$?
  if [ -n "$made_policy" ]; then "${root[@]}" rm -f "$policy"; fi
  if [ "$status" -ne 0 ]; then tail -n 20 "$log"; fi
  rm -f "$log"
  return "$status"
}

# Runs a build and shows one line of its progress; all of its output where it fails.
# show_build LABEL COMMAND…
show_build() {
  local label=$1 log status=0 line
  shift
  log=$(mktemp)
  if [ -t 1 ]; then
    { "$@" 2>&1 || echo "BUILD-FAILED"; } | while IFS= read -r line; do
      printf '%s\n' "$line" >>"$log"
      case $line in
        \[*/*\]*) printf '\r\033[K%s %s' "$label" "${line%%]*}]" ;;
      esac
    done
    printf '\r\033[K'
    if grep -q '^BUILD-FAILED$' "$log"; then status=1; fi
  else
    printf '%s\n' "$label"
    "$@" >"$log" 2>&1 || status=$?
  fi
  if [ "$status" -ne 0 ]; then cat "$log"; fi
  rm -f "$log"
  return "$status"
}
