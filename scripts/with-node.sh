#!/bin/sh
# with-node.sh CMD...: runs CMD on the caller's Node.js when it fits package.json "engines",
# else on the pinned one of tools/runtime, which it installs the first time.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
fits() {
  "$1" -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>=26||a===24||(a===22&&b>=22)?0:1)' >/dev/null 2>&1
}
if ! fits node; then
  runtime="$root/tools/runtime"
  if ! fits "$runtime/node_modules/.bin/node"; then
    if ! command -v npm >/dev/null 2>&1; then
      echo "cdvault needs Node.js 22.22+, 24 or 26, or npm to fetch one. On Debian: apt-get install npm" >&2
      exit 1
    fi
    echo "cdvault: this machine's Node.js does not fit; installing the pinned one (about 10 s, once)" >&2
    npm ci --prefix "$runtime" --no-audit --no-fund --loglevel=error >&2 || exit 1
  fi
  PATH="$runtime/node_modules/.bin:$PATH"
  export PATH
fi
exec "$@"
