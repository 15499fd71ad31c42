#!/usr/bin/env bash
# compose-test.sh: runs the main job in containers with docker-compose.yml; the last line is `N passed, N failed`.
# If no container engine answers, it starts its own with stand-in images (test/compose/) and stops it again.
# If none can run, it prints SKIPPED with the reason and exits with 0.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root"
work=$root/.cdvault/compose-test
mkdir -p "$work"
exec 9>"$work/lock"
if ! flock --nonblock 9; then
  echo 'another compose-test runs in this folder'
  echo '0 passed, 1 failed'
  exit 1
fi
# A short path, since the path of a socket may have at most 107 bytes.
run=$(mktemp -d /tmp/cdvault-compose-XXXXXX)
export CDVAULT_IMAGE=cdvault-compose-test
exec 3>&1
doing=
engine_pid=

# shellcheck source=test/compose/engine.sh
. test/compose/engine.sh
# shellcheck source=test/compose/images.sh
. test/compose/images.sh

# Also reports one failure when the script fails before the first test or is interrupted.
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

# step WHAT COMMAND...: runs the command and prints one line with its seconds. The command is not in a subshell or
# a condition, so that a failure in it ends the script.
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
  # The cleaner of testcontainers (Ryuk) is another image. And if this machine is itself a container,
  # testcontainers would assume that the engine's containers are its siblings.
  export TESTCONTAINERS_RYUK_DISABLED=true TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
  step 'install dockerd, mmdebstrap and the compose plugin' install_engine
  step 'start an engine to build images' start_engine build
  has_image redis:8 redis_image || step 'build the stand-in image redis:8' redis_image
  has_image questdb/questdb:9.3.4 questdb_image || step 'build the stand-in image questdb/questdb:9.3.4' questdb_image
  has_image node:24-bookworm-slim node_image || step 'build the stand-in image node:24-bookworm-slim' node_image
  step "build cdvault's image" build_image --network host
  step 'stop the engine' stop_engine
  step 'start an engine to run containers, in its own network' start_engine run
  # Containers of a run that was interrupted.
  docker ps --all --quiet | xargs --no-run-if-empty docker rm --force --volumes >/dev/null
}

reach=()
if engine_answers; then
  echo '      a container engine answers: using official images'
  step "build cdvault's image" build_image
else
  echo '      no container engine answers: starting our own, with stand-in images'
  own_engine
  reach=(in_engine)
fi
docker image ls --format '      {{.Repository}}:{{.Tag}} {{.Size}}' | grep -E 'cdvault-compose-test|redis:8|questdb:9|node:24'
step 'install packages' scripts/install-packages.sh

doing='run the tests'
status=0
"${reach[@]}" scripts/run-tests.sh --config test/compose/vitest.config.ts 9>&- || status=$?
step 'stop the engine and its containers' stop_engine
doing=
cat .cdvault/test-totals 2>/dev/null || echo '0 passed, 1 failed'
exit "$status"
