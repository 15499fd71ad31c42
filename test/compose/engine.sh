# shellcheck shell=bash
# A container engine for machines without one: Debian's dockerd, with its state in two folders; it touches
# nothing else of the machine. Sourced by scripts/compose-test.sh, which sets root, work (kept) and run
# (deleted after the run: sockets, pids, log). It needs root and Debian's apt-get.
#
# It runs in two modes, one after the other on the same data. To build: in the machine's network, without
# a bridge or a firewall rule, so that `docker build --network host` reaches registries. To run: in a
# network namespace with only a loopback, where bridges, names and published ports work and no packet
# leaves. Tests join that namespace.

engine_answers() {
  docker compose version >/dev/null 2>&1 && docker info >/dev/null 2>&1
}

# Installs what dockerd and the build of images need. The compose plugin, which Debian 12 does not have, is
# unpacked without installing it.
install_engine() {
  local packages=()
  command -v dockerd >/dev/null || packages+=(docker.io)
  command -v iptables >/dev/null || packages+=(iptables)
  command -v ip >/dev/null || packages+=(iproute2)
  command -v mmdebstrap >/dev/null || packages+=(mmdebstrap)
  command -v npm >/dev/null || packages+=(npm)
  if [ "${#packages[@]}" -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}"
  fi
  local plugins=$DOCKER_CONFIG/cli-plugins
  [ -x "$plugins/docker-compose" ] && [ -x "$plugins/docker-buildx" ] && return
  rm -rf "$work/debs"
  mkdir -p "$work/debs" "$plugins"
  sh "$root/test/compose/debs.sh" trixie "$work/debs" docker-compose docker-buildx
  cp "$work"/debs/usr/libexec/docker/cli-plugins/* "$plugins"
  rm -rf "$work/debs"
}

# start_engine build|run: returns when the engine answers; skips all tests with its last log line when it
# does not start.
start_engine() {
  local options=(--data-root "$work/engine" --exec-root "$run/exec" --pidfile "$run/dockerd.pid" -H "$DOCKER_HOST")
  if [ "$1" = build ]; then
    setsid dockerd "${options[@]}" --bridge=none --iptables=false --ip6tables=false >>"$run/log" 2>&1 </dev/null 3>&- 9>&- &
  else
    # shellcheck disable=SC2016 # for the inner shell
    setsid unshare --net sh -c 'ip link set lo up && exec dockerd "$@"' dockerd "${options[@]}" >>"$run/log" 2>&1 </dev/null 3>&- 9>&- &
  fi
  engine_pid=$!
  for _ in $(seq 60); do
    engine_answers && return
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  skip "the engine does not start: $(tail -n 1 "$run/log")"
}

# Stops the engine and its containers.
stop_engine() {
  [ -n "$engine_pid" ] || return 0
  kill "$engine_pid" 2>/dev/null || true
  for _ in $(seq 60); do
    kill -0 "$engine_pid" 2>/dev/null || break
    sleep 0.5
  done
  kill -9 "$engine_pid" 2>/dev/null || true
  wait "$engine_pid" 2>/dev/null || true
  engine_pid=
  # The network namespaces of containers that it could not end in time stay mounted.
  awk -v run="$run/" 'index($2, run) == 1 { print $2 }' /proc/mounts | xargs --no-run-if-empty umount
}

# in_engine COMMAND...: runs a command in the namespace in which published ports can be reached.
in_engine() {
  nsenter --net="/proc/$engine_pid/ns/net" -- "$@"
}
