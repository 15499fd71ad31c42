import { defineConfig } from 'vitest/config';
import { faultSeed } from './test/support/fault-turns.ts';

const UNIT = ['test/{unit,property,golden}/**/*.test.ts'];
const REAL = ['test/{contract,integration,e2e,faults,page}/**/*.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', './test/support/totals-reporter.ts'],
    // QuestDB, Redis and the tests' own worker processes share the machine with the test files.
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: { name: 'unit', include: UNIT, testTimeout: 20_000 },
      },
      {
        extends: true,
        test: {
          name: 'real',
          env: { CDVAULT_SEED: String(faultSeed()) },
          include: REAL,
          // Only runs when a test of this project does: unit tests start no service.
          globalSetup: ['test/support/services-setup.ts'],
          setupFiles: ['test/support/nothing-left.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
