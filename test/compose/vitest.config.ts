import { defineConfig } from 'vitest/config';

/** `make compose-test`: tests that need a container engine, which scripts/compose-test.sh starts if there is none. */
export default defineConfig({
  test: {
    reporters: ['verbose', './test/support/totals-reporter.ts'],
    include: ['test/compose/*.test.ts', 'test/integration/containers.test.ts'],
    // The tests share the cores with nine containers.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
