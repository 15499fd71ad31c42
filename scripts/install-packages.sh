#!/bin/sh
# install-packages.sh: brings node_modules in line with package-lock.json; does nothing when it is.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
done_file="$root/node_modules/.package-lock.json"
# npm writes that file last, so a broken or interrupted install is done again.
if [ -f "$done_file" ] && [ ! "$root/package-lock.json" -nt "$done_file" ]; then exit 0; fi
[ -f "$root/package-lock.json" ] || exit 0
echo "cdvault: installing npm packages (about 20 s, once)" >&2
cd "$root" || exit 1
# Versions and hashes are those of the lock file. Not `npm ci`: it refuses a lock file that was made where
# other systems' optional binaries were not to be had, though nothing of them is installed.
scripts/with-node.sh npm install --no-save --no-audit --no-fund --loglevel=error >&2 || exit 1
touch "$done_file"
