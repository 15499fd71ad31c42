#!/bin/sh
# run-tests.sh [VITEST ARGUMENT]...: runs every test; the last line is `N passed, N failed`.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd) || exit 1
cd "$root" || exit 1
scripts/install-packages.sh || exit 1
rm -f .cdvault/test-totals
scripts/with-node.sh node node_modules/vitest/vitest.mjs run "$@"
status=$?
if [ ! -f .cdvault/test-totals ]; then
  # The run failed before the first test (set-up, configuration): report it as one failure.
  echo "0 passed, 1 failed"
  [ "$status" -ne 0 ] || status=1
fi
exit "$status"
