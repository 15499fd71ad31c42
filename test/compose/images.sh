# shellcheck shell=bash
# Images under the official names for an engine that can't pull them: Debian's Redis, QuestDB's jar on
# Debian's Java, and the pinned Node.js, in roots that mmdebstrap makes. The servers are the same code as
# in the official images. Entrypoints, users and base systems differ, so these images prove nothing about
# them. Sourced by scripts/compose-test.sh, which sets root, work and DEBIAN_MIRROR.

npm_version=11.19.1 # comes with the official image of Node.js 24

# recipe_of FUNCTION: prints the hash of a recipe; a changed recipe makes a new image.
recipe_of() {
  declare -f make_image "$1" | sha256sum | cut -c 1-12
}

# has_image NAME FUNCTION: whether the image was made by this recipe.
has_image() {
  [ "$(docker image inspect --format '{{index .Config.Labels "recipe"}}' "$1" 2>/dev/null)" = "$(recipe_of "$2")" ]
}

# make_image NAME SUITE PACKAGES [MMDEBSTRAP OPTION]... -- [DOCKER IMPORT OPTION]...
make_image() {
  local name=$1 suite=$2 packages=$3 options=()
  shift 3
  while [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  shift
  mmdebstrap --quiet --variant=minbase --include="$packages" "${options[@]}" "$suite" "$work/root.tar" \
    "deb $DEBIAN_MIRROR $suite main"
  docker import -c "LABEL recipe=$(recipe_of "${FUNCNAME[1]}")" -c 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
    "$@" "$work/root.tar" "$name"
  rm "$work/root.tar"
}

redis_image() {
  mkdir -p "$work/redis"
  # The official build has no protected mode.
  printf '#!/bin/sh\nexec /usr/bin/redis-server "$@" --protected-mode no\n' >"$work/redis/redis-server"
  chmod 755 "$work/redis/redis-server"
  make_image redis:8 trixie redis-server --customize-hook="copy-in $work/redis/redis-server /usr/local/bin" \
    -- -c 'WORKDIR /data' -c 'VOLUME /data' -c 'EXPOSE 6379' -c 'CMD ["redis-server"]'
}

questdb_image() {
  local jar_dir=${CDVAULT_JAR_DIR:-$root/.cdvault/jars}
  JAR_DIR=$jar_dir "$root/scripts/install-services.sh" jar
  mkdir -p "$work/questdb"
  cp "$jar_dir/questdb-9.3.4.jar" "$work/questdb/questdb.jar"
  # Like the official entrypoint: takes JVM_PREPEND, owns the folder of the data, and drops root.
  cat >"$work/questdb/start" <<'START'
#!/bin/bash
set -e
chown questdb:questdb /var/lib/questdb
exec setpriv --reuid questdb --regid questdb --clear-groups java $JVM_PREPEND -XX:+UseParallelGC \
  -p /app/questdb.jar -m io.questdb/io.questdb.ServerMain -d /var/lib/questdb -f
START
  chmod 755 "$work/questdb/start"
  make_image questdb/questdb:9.3.4 bookworm default-jre-headless \
    --customize-hook='mkdir "$1/app"' --customize-hook="copy-in $work/questdb/questdb.jar $work/questdb/start /app" \
    --customize-hook='chroot "$1" useradd --uid 10001 questdb' \
    -- -c 'VOLUME /var/lib/questdb' -c 'EXPOSE 9000 8812 9003' -c 'ENTRYPOINT ["/app/start"]'
}

node_image() {
  local runtime=$work/runtime files=$work/node-root ca=${NODE_EXTRA_CA_CERTS:-}
  rm -rf "$files"
  mkdir -p "$runtime" "$files/usr/local/bin" "$files/usr/local/lib"
  cp "$root"/tools/runtime/package*.json "$root/tools/runtime/.npmrc" "$runtime"
  npm ci --prefix "$runtime" --no-audit --no-fund --loglevel=error
  npm install --prefix "$work/npm" --no-save --no-audit --no-fund --loglevel=error "npm@$npm_version"
  cp "$runtime"/node_modules/node-linux-*/bin/node "$files/usr/local/bin/node"
  cp -R "$work/npm/node_modules" "$files/usr/local/lib/node_modules"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$files/usr/local/bin/npm"
  ln -s ../lib/node_modules/npm/bin/npx-cli.js "$files/usr/local/bin/npx"
  local options=()
  # For a registry with a certificate that only this machine trusts.
  if [ -n "$ca" ]; then
    cp "$ca" "$files/usr/local/lib/extra-ca.crt"
    options=(-c 'ENV NODE_EXTRA_CA_CERTS=/usr/local/lib/extra-ca.crt')
  fi
  make_image node:24-bookworm-slim bookworm ca-certificates --customize-hook="sync-in $files /" \
    --customize-hook='chroot "$1" useradd --uid 1000 --create-home node' \
    -- "${options[@]}" -c 'CMD ["node"]'
}
