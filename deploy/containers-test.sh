#!/usr/bin/env bash
# Builds the image and runs fantail under compose: three workers, then six, then two in mid-run. The digest must be that of a local
# run, by the binaries in FANTAIL_BIN, over the same files at the same path. Exits 77 where no container engine can run.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=deploy/packages.sh
. deploy/packages.sh

: "${FANTAIL_BIN:?names the folder of the binaries to compare with}"

skip() {
  echo "skipped: $1"
  exit 77
}
fail() {
  echo "containers: $1" >&2
  for log in "$work/run.log" "$work/up.log"; do
    if [ -e "$log" ]; then tail -n 20 "$log" >&2; fi
  done
  compose logs --no-color 2>/dev/null | tail -n 50 >&2 || true
  exit 1
}

if [ "$(id -u)" -ne 0 ]; then skip "starting an engine and mounting /data need root"; fi
command -v docker-compose >/dev/null || skip "docker-compose is not installed"

work=$(mktemp -d)
engine=
cleanup() {
  if [ -e "$work/ready" ]; then compose down --timeout 5 --volumes >/dev/null 2>&1 || true; fi
  if [ -n "$engine" ]; then
    kill "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
  fi
  umount -R "$work/engine" "$work"/exec/netns/* 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# wait_for SECONDS WHAT COMMAND…: waits for a condition.
wait_for() {
  local deadline=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$deadline" ]; then
      echo "not in time: $what" >&2
      return 1
    fi
    sleep 0.2
  done
}

if ! docker info >/dev/null 2>&1; then
  export DOCKER_HOST=unix://$work/docker.sock
  mkdir -p "$work/engine"
  PATH=$PATH:/usr/sbin:/sbin dockerd --host "$DOCKER_HOST" --data-root "$work/engine" --exec-root "$work/exec" \
    --pidfile "$work/docker.pid" >"$work/dockerd.log" 2>&1 &
  engine=$!
  wait_for 60 "the engine answers" docker info || { tail -n 20 "$work/dockerd.log"; skip "dockerd does not start here"; }
fi

# The base image: from a registry where one answers, else made of Debian's packages.
base=debian:bookworm-slim
if ! docker image inspect "$base" >/dev/null 2>&1 && ! timeout 60 docker pull -q "$base" >/dev/null 2>&1; then
  base=fantail-base:bookworm
  if ! docker image inspect "$base" >/dev/null 2>&1; then
    mirror=$(grep -rhoE 'https?://[^ ]+/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
      head -n 1 | tr -d ' ' || true)
    echo "no registry answers: making the base image with debootstrap"
    debootstrap --variant=minbase bookworm "$work/base" "${mirror:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
      { tail -n 20 "$work/debootstrap.log"; skip "debootstrap finds no mirror"; }
    # Packages come from where this machine gets Debian's.
    rm -rf "$work/base/etc/apt/sources.list" "$work/base/etc/apt/sources.list.d"
    mkdir "$work/base/etc/apt/sources.list.d"
    local_sources=$(grep -rlE '/debian/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null || true)
    for file in $local_sources; do cp "$file" "$work/base/$file"; done
    for file in /etc/apt/apt.conf.d/*proxy*; do
      if [ -e "$file" ]; then cp "$file" "$work/base/etc/apt/apt.conf.d/"; fi
    done
    cp -a /usr/share/keyrings/debian-archive* "$work/base/usr/share/keyrings/" 2>/dev/null || true
    tar -C "$work/base" -c . | docker import - "$base" >/dev/null
    rm -rf "$work/base"
  fi
fi

export FANTAIL_IMAGE=fantail:test FANTAIL_DATA=$work/data FANTAIL_OUT=$work/out
echo "building the image"
docker build --network host --build-arg "BASE=$base" -t "$FANTAIL_IMAGE" -f deploy/Dockerfile . >"$work/build.log" 2>&1 ||
  { tail -n 40 "$work/build.log"; fail "the image does not build"; }

inside() { docker run --rm --entrypoint "" "$FANTAIL_IMAGE" "$@"; }
[ "$(inside id -u)" = 65532 ] || fail "the image runs as root"
if inside sh -c 'command -v gcc g++ cc c++ clang cmake'; then fail "the image has a compiler"; fi

echo "making files"
mkdir -p "$FANTAIL_DATA" "$FANTAIL_OUT"
chmod 755 "$work" "$FANTAIL_DATA"
chmod 777 "$FANTAIL_OUT"
python3 - "$FANTAIL_DATA" <<'PYTHON'
import os, random, sys
source = random.Random(7)
for index in range(40000):
    folder = os.path.join(sys.argv[1], f"d{index % 200}")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"f{index}"), "wb") as file:
        file.write(source.randbytes(source.randrange(200, 6000)))
# A few large ones, so that the run lasts while workers come and go.
for index in range(24):
    with open(os.path.join(sys.argv[1], f"zlarge{index}"), "wb") as file:
        file.write(os.urandom(1 << 20) * 192)
PYTHON

compose() { docker-compose -p fantailtest -f deploy/compose.yaml "$@"; }
touch "$work/ready"
report() { python3 -c "import json,sys; r=json.load(open('$FANTAIL_OUT/report.json')); print(eval(sys.argv[1], {'r': r}))" "$1"; }
rows() { wc -l <"$FANTAIL_OUT/results.jsonl"; }
rows_beyond() { [ "$(rows)" -gt "$1" ]; }

echo "a run with 3 workers, then 6, then 2"
compose up -d --scale worker=3 sink worker >"$work/up.log" 2>&1 || fail "compose up"
compose run -T --rm --use-aliases ventilator files --hash sha256 /data >"$work/run.log" 2>&1 &
run=$!
wait_for 60 "the first rows" rows_beyond 100 || fail "no rows came"
compose up -d --no-recreate --scale worker=6 sink worker >/dev/null 2>&1 || fail "scaling up"
compose up -d --no-recreate --scale worker=2 sink worker >/dev/null 2>&1 || fail "scaling down"
status=0
wait "$run" || status=$?
[ "$status" -eq 0 ] || { cat "$work/run.log"; fail "the run ended with $status"; }
wait_for 15 "the report" test -s "$FANTAIL_OUT/report.json" || fail "no report"
[ "$(report 'r["jobs"]["lost"]')" = 0 ] || fail "jobs were lost"
[ "$(report 'r["jobs"]["ok"]')" = 40024 ] || fail "not every file was read: $(report 'r["jobs"]')"
[ "$(report 'r["workers"] >= 3')" = True ] || fail "only $(report 'r["workers"]') workers took part"
echo "$(report 'r["workers"]') workers took part, $(report 'r["retries"]') jobs were tried again, $(report 'r["wall_s"]') s"
in_containers=$(report 'r["digest"]')
compose down --timeout 5 --volumes >/dev/null 2>&1

echo "the same files at the same path, without containers"
# A mount namespace of its own: this machine's /data stays as it is.
made_data=
[ -d /data ] || { mkdir /data && made_data=yes; }
# shellcheck disable=SC2016
unshare -m bash -c 'mount --bind "$1" /data && exec "$2" run --report "$3" --output /dev/null --progress quiet files --hash sha256 /data' \
  _ "$FANTAIL_DATA" "$FANTAIL_BIN/fantail" "$work/local.json"
[ -z "$made_data" ] || rmdir /data
local_digest=$(python3 -c "import json; print(json.load(open('$work/local.json'))['digest'])")
[ "$in_containers" = "$local_digest" ] || fail "the digests differ: $in_containers and $local_digest"

echo "plain up: the sink exits first"
rm -f "$FANTAIL_DATA"/zlarge* "$FANTAIL_OUT"/*
status=0
compose up --scale worker=2 --exit-code-from sink >"$work/up.log" 2>&1 || status=$?
[ "$status" -eq 0 ] || { tail -n 30 "$work/up.log"; fail "up ended with $status"; }
[ "$(report 'r["jobs"]["ok"]')" = 40000 ] || fail "not every file was read"
echo "containers: ok"
