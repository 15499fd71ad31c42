import { defineConfig } from 'vitest/config';

/** `make compose-test`: what only a container engine can show. It starts none: scripts/compose-test.sh does. */
export default defineConfig({
  test: {
    reporters: ['verbose', './test/support/totals-reporter.ts'],
    include: ['test/compose/*.test.ts', 'test/integration/containers.test.ts'],
    // They share the cores with nine containers.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
