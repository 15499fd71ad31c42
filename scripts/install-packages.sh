#!/bin/sh
# install-packages.sh: installs the packages of package-lock.json into node_modules, if they are not up to date.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
done_file="$root/node_modules/.package-lock.json"
# npm writes that file last, so an install that failed or was interrupted is repeated.
if [ -f "$done_file" ] && [ ! "$root/package-lock.json" -nt "$done_file" ]; then exit 0; fi
[ -f "$root/package-lock.json" ] || exit 0
echo "cdvault: installing npm packages (about 20 s, once)" >&2
cd "$root" || exit 1
# Versions and hashes come from the lock file. Not `npm ci`: it refuses a lock file that was written on a machine
# where optional binaries of other systems were not available, although none of them is installed.
scripts/with-node.sh npm install --no-save --no-audit --no-fund --loglevel=error >&2 || exit 1
touch "$done_file"
