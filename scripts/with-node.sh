#!/bin/sh
# with-node.sh CMD...: runs CMD with the caller's Node.js if its version satisfies "engines" in package.json,
# else with the pinned one in tools/runtime, which it installs at the first use.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1

# --version does not start the JavaScript engine: 6 ms instead of 45 ms for each call.
fits() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  case "$major$minor" in '' | *[!0-9]*) return 1 ;; esac
  [ "$major" -ge 26 ] || [ "$major" -eq 24 ] || { [ "$major" -eq 22 ] && [ "$minor" -ge 22 ]; }
}

if ! fits node; then
  runtime="$root/tools/runtime"
  # An installed package does not have it.
  if [ ! -d "$runtime" ]; then
    echo "cdvault needs Node.js 22.22+, 24 or 26+; the node on the PATH is ${version:-missing}" >&2
    exit 1
  fi
  # In the package's own folder, because npm 9 (Debian 12) does not link it into .bin.
  pinned() {
    for bin in "$runtime"/node_modules/node-*/bin; do
      if fits "$bin/node"; then return 0; fi
    done
    return 1
  }
  if ! pinned; then
    if ! command -v npm >/dev/null 2>&1; then
      echo "cdvault needs Node.js 22.22+, 24 or 26+, or npm to install it. On Debian: apt-get install npm" >&2
      exit 1
    fi
    echo "cdvault: no supported Node.js on the PATH; installing the pinned version (about 10 s, once)" >&2
    npm ci --prefix "$runtime" --no-audit --no-fund --loglevel=error >&2 || exit 1
    if ! pinned; then
      echo "cdvault: the pinned Node.js is not available for this system; install Node.js 24" >&2
      exit 1
    fi
  fi
  PATH="$bin:$PATH"
  export PATH
fi
exec "$@"
