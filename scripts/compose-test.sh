#!/usr/bin/env bash
# compose-test.sh: the main job through docker-compose.yml, in containers; `N passed, N failed` at the end.
# Where no container engine answers it brings one up for itself, with stand-in images (test/compose/),
# and takes it down again. Where none can run it says SKIPPED and why, and ends with 0.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
work=$root/.cdvault/compose-test
mkdir -p "$work"
exec 9>"$work/lock"
if ! flock --nonblock 9; then
  echo 'another compose-test of this folder is under way'
  echo '0 passed, 1 failed'
  exit 1
fi
# Sockets have short names: a path may be 107 bytes long.
run=$(mktemp -d /tmp/cdvault-compose-XXXXXX)
export CDVAULT_IMAGE=cdvault-compose-test
exec 3>&1
doing=
engine_pid=

# shellcheck source=test/compose/engine.sh
. test/compose/engine.sh
# shellcheck source=test/compose/images.sh
. test/compose/images.sh

# Also when it breaks before the first test or is interrupted: that is a failure, and says so.
finish() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [ -n "$doing" ]; then
    tail -n 40 "$run/step.log" >&3
    echo "failed: $doing" >&3
  fi
  stop_engine
  rm -rf "$run"
  [ -z "$doing" ] || echo '0 passed, 1 failed' >&3
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

skip() {
  doing=
  echo "SKIPPED: $*" >&3
  exit 0
}

# step WHAT COMMAND...: one line with its seconds. No subshell and no condition around the command:
# what fails in it ends the script there.
step() {
  local began=$SECONDS
  doing=$1
  shift
  "$@" >"$run/step.log" 2>&1
  printf '%4d s  %s\n' "$((SECONDS - began))" "$doing"
}

build_image() {
  docker build "$@" --tag "$CDVAULT_IMAGE" .
}

own_engine() {
  [ "$(id -u)" = 0 ] || skip 'no container engine answers, and only root can start one'
  command -v apt-get >/dev/null || skip 'no container engine answers, and there is no apt-get to install one with'
  DEBIAN_MIRROR=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '/\/debian\/?$/ && !found { print; found = 1 }')
  export DEBIAN_MIRROR=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
  export DOCKER_CONFIG=$work/docker DOCKER_HOST=unix://$run/docker.sock
  # The caretaker of testcontainers is an image of its own, and it would take a machine that is itself a
  # container for one beside ours.
  export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
  step 'dockerd, mmdebstrap and the compose plugin are there' install_engine
  step 'an engine that builds' start_engine build
  has_image redis:8 redis_image || step 'stand-in image redis:8' redis_image
  has_image questdb/questdb:9.3.4 questdb_image || step 'stand-in image questdb/questdb:9.3.4' questdb_image
  has_image node:24-bookworm-slim node_image || step 'stand-in image node:24-bookworm-slim' node_image
  step "cdvault's image" build_image --network host
  step 'it stops' stop_engine
  step 'an engine that runs, in a network of its own' start_engine run
  # Of a run that was cut off.
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
}

reach=()
if engine_answers; then
  echo '      a container engine answers: official images'
  step "cdvault's image" build_image
else
  echo '      no container engine answers: one of our own, with stand-in images'
  own_engine
  reach=(in_engine)
fi
docker image ls --format '      {{.Repository}}:{{.Tag}} {{.Size}}' | grep -E 'cdvault-compose-test|redis:8|questdb:9|node:24'
step 'packages' scripts/install-packages.sh

doing='the tests'
status=0
"${reach[@]}" scripts/run-tests.sh --config test/compose/vitest.config.ts 9>&- || status=$?
step 'the engine and its containers are gone' stop_engine
doing=
cat .cdvault/test-totals 2>/dev/null || echo '0 passed, 1 failed'
exit "$status"
